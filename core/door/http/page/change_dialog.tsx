/** The dialogs before a change: for a name, a target folder, or a confirmation. */
import type { BargeError } from "../../../error.ts";
import { list } from "../../../session/list.ts";
import type { Session } from "../../../login/session.ts";
import { encodePath, join, split } from "../path.ts";
import type { ChangeRequest, ChangeVerb } from "./change_request.ts";
import { partsOf } from "./breadcrumbs.tsx";
import { counted } from "../../../counted.ts";
import { DialogForm, type DialogFormProps, Field } from "./form.tsx";
import { Icon } from "./layout.tsx";
import type { UserView } from "./view.ts";

/** The most folders that the dialog lists. */
const maxFolders = 300;

interface DialogProps {
  readonly view: UserView;
  readonly request: ChangeRequest;
  readonly failed: BargeError | undefined;
}

/** The dialog for the field that a request lacks. */
export async function ChangeDialog(props: DialogProps) {
  const { verb, names, to } = props.request;
  const items = names.length === 1 ? `“${names[0]}”` : counted(names.length, "item");
  switch (verb) {
    case "mkdir":
      return (
        <Dialog {...props} title="New folder" label="Create">
          <NewNameField value={to ?? ""} />
        </Dialog>
      );
    case "rename":
      return (
        <Dialog {...props} title={`Rename ${items}`} label="Rename">
          <NewNameField value={to ?? names[0] ?? ""} />
        </Dialog>
      );
    case "delete":
      return (
        <Dialog {...props} title={`Delete ${items}?`} label="Delete" button={{ class: "b bad" }}>
          <p>This can't be undone. Folders are deleted with all their contents.</p>
          {names.length > 1 && (
            <ul class="names">
              {names.slice(0, 50).map((name) => <li>{name}</li>)}
              {names.length > 50 && <li>and {names.length - 50} more</li>}
            </ul>
          )}
          <input type="hidden" name="sure" value="yes" />
        </Dialog>
      );
    default:
      return await FolderDialog({ ...props, items });
  }
}

/** The folder that is shown first; for other verbs the folder of the entries. */
const startFolders: Partial<Record<ChangeVerb, string>> = { publish: "/public", claim: "/home" };

const explanations: Partial<Record<ChangeVerb, string>> = {
  publish: "Everyone with an account here will see it.",
  claim: "It becomes a file of your own.",
};

/** The dialog to choose a target folder; a click on another folder opens that one. */
async function FolderDialog({ items, ...props }: DialogProps & { readonly items: string }) {
  const { view, request } = props;
  const { verb, dir } = request;
  const at = request.at ?? startFolders[verb] ?? dir;
  const folders = await foldersIn(view.session, at);
  const word = verb[0].toUpperCase() + verb.slice(1);
  const parts = partsOf(at);
  const label = `${word} to ${parts.at(-1)}`;
  return (
    <Dialog {...props} title={`${word} ${items}`} label={label} button={{ name: "to", value: at }}>
      {explanations[verb] && <p class="soft">{explanations[verb]}</p>}
      <div class="stack">
        <p>
          In <strong>{parts.join(" / ")}</strong>
        </p>
        <ul class="folders" aria-label="Folders to choose from">
          {parentLinks(at, verb).map(([path, label]) => (
            <FolderButton path={path} icon="up" label={label} />
          ))}
          {folders.map((name) => <FolderButton path={join(at, name)} icon="folder" label={name} />)}
          {folders.length === 0 && (
            <li>
              <p>No folders in here.</p>
            </li>
          )}
        </ul>
      </div>
      {(verb === "publish" || verb === "claim") && <KeepOriginal request={request} />}
    </Dialog>
  );
}

function FolderButton({ path, icon, label }: { path: string; icon: string; label: string }) {
  return (
    <li>
      <button type="submit" name="at" value={path} formnovalidate>
        <Icon name={icon} />
        {label}
      </button>
    </li>
  );
}

function KeepOriginal({ request: { verb, keep } }: { request: ChangeRequest }) {
  const place = verb === "publish" ? "your home" : "Public";
  return (
    <fieldset class="stack">
      <legend class="sr">The original</legend>
      <label class="check">
        <input type="radio" name="keep" value="yes" checked={keep} />
        Copy it: the original stays in {place}
      </label>
      <label class="check">
        <input type="radio" name="keep" value="no" checked={!keep} />
        Move it{verb === "claim" ? ", if it is yours already" : ""}
      </label>
    </fieldset>
  );
}

/** Returns the folders that lead out of the current one. */
function parentLinks(at: string, verb: ChangeVerb): [path: string, label: string][] {
  const { dir } = split(at);
  if (dir !== "/") return [[dir, "Up"]];
  if (verb === "publish" || verb === "claim") return [];
  return at === "/home" ? [["/public", "Public"]] : [["/home", "Home"]];
}

async function foldersIn(session: Session, path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of list(session, path, false)) {
    for (const { type, name } of batch) if (type === "dir") names.push(name);
    if (names.length >= maxFolders) break;
  }
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, maxFolders);
}

function NewNameField({ value }: { value: string }) {
  return <Field id="to" label="Name" value={value} maxlength={255} spellcheck={false} autofocus />;
}

function Dialog(
  { request: { verb, dir, names }, children, ...question }:
    & Pick<DialogFormProps, "view" | "failed" | "title" | "label" | "button" | "children">
    & Pick<DialogProps, "request">,
) {
  return (
    <DialogForm {...question} action={`/do/${verb}`} cancel={`/files${encodePath(dir)}/`}>
      <input type="hidden" name="dir" value={dir} />
      {names.map((name) => <input type="hidden" name="name" value={name} />)}
      {children}
    </DialogForm>
  );
}
