/** The questions before a change: what to call it, where to, whether one is sure. */
import type { Child } from "hono/jsx";
import { list } from "../../../session/list.ts";
import type { Session } from "../../../login/session.ts";
import { encodePath } from "../path.ts";
import type { Verb, Wish } from "./change.tsx";
import { placeName } from "./crumbs.tsx";
import { count, join, split } from "./format.ts";
import { Csrf, Icon, Note } from "./layout.tsx";
import type { UserView } from "./view.ts";

/** So many folders are offered at once. */
const most = 300;

interface AskProps {
  readonly view: UserView;
  readonly wish: Wish;
  readonly error: string | undefined;
}

/** The question that a wish leaves open. */
export async function Ask({ view, wish, error }: AskProps) {
  const { verb, names } = wish;
  const what = names.length === 1 ? `“${names[0]}”` : count(names.length, "item");
  switch (verb) {
    case "mkdir":
      return (
        <Question {...{ view, wish, error }} title="New folder" label="Make it">
          <NameField value={wish.to ?? ""} />
        </Question>
      );
    case "rename":
      return (
        <Question {...{ view, wish, error }} title={`Rename ${what}`} label="Rename">
          <NameField value={wish.to ?? names[0] ?? ""} />
        </Question>
      );
    case "delete":
      return (
        <Question {...{ view, wish, error }} title={`Delete ${what}?`} label="Delete" bad>
          <p>This can't be undone. Folders go with all that is in them.</p>
          {names.length > 1 && (
            <ul class="names">
              {names.slice(0, 50).map((name) => <li>{name}</li>)}
              {names.length > 50 && <li>and {names.length - 50} more</li>}
            </ul>
          )}
          <input type="hidden" name="sure" value="yes" />
        </Question>
      );
    default:
      return await Where({ view, wish, error, what });
  }
}

/** The folder that is shown first, where it is not the one that one is in. */
const starts: Partial<Record<Verb, string>> = { publish: "/public", claim: "/home" };

const explained: Partial<Record<Verb, string>> = {
  publish: "Everyone with an account here will see it.",
  claim: "It becomes a file of your own.",
};

/** Where to: one folder after another. */
async function Where({ view, wish, error, what }: AskProps & { readonly what: string }) {
  const { verb, dir } = wish;
  const at = wish.at ?? starts[verb] ?? dir;
  const folders = await foldersIn(view.session, at);
  const word = verb[0].toUpperCase() + verb.slice(1);
  const parts = at.split("/").slice(1).map((part, i) => i === 0 ? placeName(part) : part);
  const here = `${word} to ${parts.at(-1)}`;
  return (
    <Question {...{ view, wish, error }} title={`${word} ${what}`} label={here} to={at}>
      {explained[verb] && <p class="soft">{explained[verb]}</p>}
      <div class="stack">
        <p>
          In <strong>{parts.join(" / ")}</strong>
        </p>
        <ul class="folders" aria-label="Folders to choose from">
          {up(at, verb).map(([path, label]) => (
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
      {(verb === "publish" || verb === "claim") && <Keep wish={wish} />}
    </Question>
  );
}

function Keep({ wish: { verb, keep } }: { wish: Wish }) {
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
        Move it{verb === "claim" ? ", where it is yours already" : ""}
      </label>
    </fieldset>
  );
}

/** Ways out of the folder that is shown. */
function up(at: string, verb: Verb): [path: string, label: string][] {
  const { dir } = split(at);
  if (dir !== "/") return [[dir, "Up"]];
  if (verb === "publish" || verb === "claim") return [];
  return at === "/home" ? [["/public", "Public"]] : [["/home", "Home"]];
}

async function foldersIn(session: Session, path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of list(session, path, false)) {
    for (const { type, name } of batch) if (type === "dir") names.push(name);
    if (names.length >= most) break;
  }
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, most);
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

function Question(
  { view, wish, error, title, label, bad, to, children }: AskProps & {
    readonly title: string;
    readonly label: string;
    readonly bad?: boolean;
    readonly to?: string;
    readonly children: Child;
  },
) {
  const { verb, dir, names } = wish;
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
