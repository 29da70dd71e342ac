/** The dialogs before a change: for a name, a target folder, or a confirmation. */
import type { Child } from "hono/jsx";
import { list } from "../../../session/list.ts";
import type { Session } from "../../../login/session.ts";
import { encodePath } from "../path.ts";
import type { ChangeRequest, ChangeVerb } from "./change_request.ts";
import { placeName } from "./breadcrumbs.tsx";
import { count, join, split } from "./format.ts";
import { Csrf, Icon, Note } from "./layout.tsx";
import type { UserView } from "./view.ts";

/** The most folders that the dialog lists. */
const maxFolders = 300;

interface DialogProps {
  readonly view: UserView;
  readonly request: ChangeRequest;
  readonly error: string | undefined;
}

/** Asks for the field that a request lacks. */
export async function ChangeDialog({ view, request, error }: DialogProps) {
  const { verb, names, to } = request;
  const items = names.length === 1 ? `“${names[0]}”` : count(names.length, "item");
  switch (verb) {
    case "mkdir":
      return (
        <Dialog view={view} request={request} error={error} title="New folder" label="Create">
          <NameField value={to ?? ""} />
        </Dialog>
      );
    case "rename":
      return (
        <Dialog
          view={view}
          request={request}
          error={error}
          title={`Rename ${items}`}
          label="Rename"
        >
          <NameField value={to ?? names[0] ?? ""} />
        </Dialog>
      );
    case "delete":
      return (
        <Dialog
          view={view}
          request={request}
          error={error}
          title={`Delete ${items}?`}
          label="Delete"
          bad
        >
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
      return await FolderDialog({ view, request, error, items });
  }
}

/** The folder that is shown first; for other verbs the folder of the entries. */
const startFolders: Partial<Record<ChangeVerb, string>> = { publish: "/public", claim: "/home" };

const explanations: Partial<Record<ChangeVerb, string>> = {
  publish: "Everyone with an account here will see it.",
  claim: "It becomes a file of your own.",
};

/** Lets the reader go from folder to folder, and choose the current one as target. */
async function FolderDialog(
  { view, request, error, items }: DialogProps & { readonly items: string },
) {
  const { verb, dir } = request;
  const at = request.at ?? startFolders[verb] ?? dir;
  const folders = await foldersIn(view.session, at);
  const word = verb[0].toUpperCase() + verb.slice(1);
  const parts = at.split("/").slice(1).map((part, i) => i === 0 ? placeName(part) : part);
  const label = `${word} to ${parts.at(-1)}`;
  return (
    <Dialog
      view={view}
      request={request}
      error={error}
      title={`${word} ${items}`}
      label={label}
      to={at}
    >
      {explanations[verb] && <p class="soft">{explanations[verb]}</p>}
      <div class="stack">
        <p>
          In <strong>{parts.join(" / ")}</strong>
        </p>
        <ul class="folders" aria-label="Folders to choose from">
          {parentLinks(at, verb).map(([path, label]) => (
            <li>
              <button type="submit" name="at" value={path} formnovalidate>
                <Icon name="up" />
                {label}
              </button>
            </li>
          ))}
          {folders.map((name) => (
            <li>
              <button type="submit" name="at" value={join(at, name)} formnovalidate>
                <Icon name="folder" />
                {name}
              </button>
            </li>
          ))}
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

function NameField({ value }: { value: string }) {
  return (
    <div class="field">
      <label for="to">Name</label>
      <input
        id="to"
        name="to"
        value={value}
        maxlength={255}
        autocomplete="off"
        spellcheck={false}
        required
        autofocus
      />
    </div>
  );
}

function Dialog(
  { view, request, error, title, label, bad, to, children }: DialogProps & {
    readonly title: string;
    readonly label: string;
    readonly bad?: boolean;
    readonly to?: string;
    readonly children: Child;
  },
) {
  const { verb, dir, names } = request;
  return (
    <form class="card ask" method="post" action={`/do/${verb}`} data-question>
      <h1>{title}</h1>
      {error && <Note bad>{error}</Note>}
      <Csrf view={view} />
      <input type="hidden" name="dir" value={dir} />
      {names.map((name) => <input type="hidden" name="name" value={name} />)}
      {children}
      <div class="row end">
        <a class="b flat" href={`/files${encodePath(dir)}/`} data-cancel>Cancel</a>
        <button
          type="submit"
          class={bad ? "b bad" : "b main"}
          name={to === undefined ? undefined : "to"}
          value={to}
          data-default
        >
          {label}
        </button>
      </div>
    </form>
  );
}
