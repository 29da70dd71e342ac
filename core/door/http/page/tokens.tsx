/** The tokens of an account on its page, with the form that makes one. */
import { accesses, scopeDoors } from "../../../protocol/scope.ts";
import { isRestricted, type WantedScope } from "../../../login/scope.ts";
import { tokens } from "../../../login/token.ts";
import type { Token } from "../../../storage/logins.ts";
import type { Scope } from "../../../storage/scope.ts";
import { ButtonForm, Field } from "./form.tsx";
import { Csrf, Icon, Note, Time } from "./layout.tsx";
import type { UserView } from "./view.ts";

const accessTexts = {
  "full": "as the account",
  "append-only": "only add new files",
  "read-only": "only read",
} as const;

/** The account's tokens, each with its limits and its last use. */
export async function Tokens({ view }: { view: UserView }) {
  const own = await tokens(view.session);
  return (
    <section class="card stack">
      <h2>Tokens</h2>
      <p class="soft">For scripts and apps, in place of the password.</p>
      {own.length > 0 && (
        <ul class="plain">
          {own.map((token) => (
            <li>
              <div class="grow">
                <div>{token.label}</div>
                <Facts token={token} />
              </div>
              <ButtonForm
                view={view}
                action="/account/revoke"
                label="Revoke"
                field={["id", token.id]}
              />
            </li>
          ))}
        </ul>
      )}
      <NewToken view={view} />
    </section>
  );
}

function Facts({ token }: { token: Token }) {
  const { used, usedFrom, expires, expired } = token;
  const limits = limitsOf(token);
  return (
    <>
      {limits.length > 0 && <small>{limits.join("; ")}</small>}
      {limits.length > 0 && <br />}
      <small>
        {used === null ? "never used" : "used "}
        {used !== null && <Time at={used} />}
        {usedFrom !== null && ` from ${usedFrom}`}
        {expires !== null && (expired ? ", has expired" : ", ends ")}
        {expires !== null && !expired && <Time at={expires} />}
      </small>
    </>
  );
}

/** Returns the limits of a scope as texts, without its end. */
function limitsOf({ access, path, doors, from }: Scope): string[] {
  return [
    access === "full" ? [] : accessTexts[access],
    path === null ? [] : `below ${path}`,
    doors === null ? [] : `through ${doors.join(", ")}`,
    from === null ? [] : `from ${from.join(", ")}`,
  ].flat();
}

function NewToken({ view }: { view: UserView }) {
  return (
    <form class="stack" method="post" action="/account/token">
      <Csrf view={view} />
      <div class="row">
        <label class="sr" for="label">Purpose of the token</label>
        <input id="label" name="label" class="short" placeholder="Purpose" maxlength={100} />
        <button type="submit" class="b">
          <Icon name="link" />Create a token
        </button>
      </div>
      <details>
        <summary>Limits</summary>
        <div class="field">
          <label for="access">It may</label>
          <select id="access" name="access">
            {accesses.map((access) => <option value={access}>{accessTexts[access]}</option>)}
          </select>
        </div>
        <Field id="path" label="Folder" hint="default: all" placeholder="/home" required={false} />
        <fieldset class="row">
          <legend>Protocols (default: all)</legend>
          {scopeDoors.map((door) => (
            <label>
              <input type="checkbox" name="doors" value={door} /> {door}
            </label>
          ))}
        </fieldset>
        <Field
          id="from"
          label="Addresses"
          hint="default: any"
          placeholder="192.0.2.7 10.0.0.0/8"
          required={false}
        />
        <Field id="expires" label="Last day" hint="default: none" type="date" required={false} />
      </details>
    </form>
  );
}

/** Returns the scope that the form of a new token names. */
export function scopeOfForm(form: URLSearchParams): WantedScope {
  const text = (name: string) => (form.get(name) ?? "").trim();
  const doors = scopeDoors.filter((door) => form.getAll("doors").includes(door));
  const from = text("from").split(/[\s,]+/).filter(Boolean);
  return {
    access: accesses.find((access) => access === text("access")),
    path: text("path") || undefined,
    doors: doors.length > 0 ? doors : undefined,
    from: from.length > 0 ? from : undefined,
    expires: text("expires") ? `${text("expires")}T23:59:59Z` : undefined,
  };
}

/** The limits of the token that the reader has logged in with. */
export function OwnLimits({ view }: { view: UserView }) {
  const { scope } = view.session;
  const limits = limitsOf(scope);
  if (limits.length === 0 && scope.expires === null) return null;
  return (
    <Note>
      You are logged in with a limited token{limits.length > 0 && `: ${limits.join("; ")}`}.
      {scope.expires !== null && " It ends "}
      {scope.expires !== null && <Time at={scope.expires} />}
    </Note>
  );
}

/** Returns whether the login of a view is for files alone. */
export function isForFilesOnly({ session: { scope } }: UserView): boolean {
  return isRestricted(scope);
}
