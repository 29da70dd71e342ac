/**
 * The parts that forms of the web interface have in common.
 *
 * Elements of class `b` are buttons. Attributes that assets/main.js and live.js read: `data-dialog` opens a
 * link's page as a dialog, `data-act` sends a form without a reload, `data-live` refreshes an element
 * every few seconds.
 */
import type { Child, JSX } from "hono/jsx";
import { BargeError } from "../../../error.ts";
import { defaultMinPasswordLength } from "../../../protocol/password.ts";
import { checkPasswordLength } from "../../../login/change_password.ts";
import type { Service } from "../../../login/service.ts";
import { Csrf, Note } from "./layout.tsx";
import { errorText } from "./messages.ts";
import type { UserView, View } from "./view.ts";

type InputProps = JSX.IntrinsicElements["input"];

interface FieldProps extends InputProps {
  readonly id: string;
  readonly label: string;
  /** Stands in the label, in parentheses. */
  readonly hint?: string;
  /** Stands below the input. */
  readonly children?: Child;
}

/** An input with its label. Other attributes are the input's; its name is its id, unless given. */
export function Field({ id, label, hint, children, ...input }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>
        {label} {hint && <small>({hint})</small>}
      </label>
      <input id={id} name={id} autocomplete="off" required {...input} />
      {children}
    </div>
  );
}

/** A field for the name of an account. */
export function NameField(input: InputProps) {
  return <Field id="name" label="Name" autocapitalize="none" spellcheck={false} {...input} />;
}

/** The fields of a new password. */
export function NewPassword({ store }: { store: Service }) {
  const minLength = store.settings.minPassword ?? defaultMinPasswordLength;
  const common = { type: "password", autocomplete: "new-password" } as const;
  return (
    <>
      <Field id="new" label="Password" name="password" minlength={minLength} {...common}>
        {minLength > 1 && <small>At least {minLength} characters</small>}
      </Field>
      <Field id="again" label="Repeat the password" {...common} />
    </>
  );
}

/** Returns the new password in a form. @throws {BargeError} `usage` if it is too short, or the two differ */
export function newPasswordOf(store: Service, form: URLSearchParams): string {
  const password = form.get("password") ?? "";
  checkPasswordLength(store, password);
  if (password !== form.get("again")) throw new BargeError("usage", "the two passwords differ");
  return password;
}

export interface DialogFormProps {
  readonly view: UserView;
  readonly title: string;
  readonly failed?: BargeError;
  readonly action: string;
  /** The URL that the link "Cancel" leads to. */
  readonly cancel: string;
  /** The text of the button, and its other attributes. */
  readonly label: string;
  readonly button?: JSX.IntrinsicElements["button"];
  readonly children: Child;
}

/** The failure of a form, if there is one. */
export function Failure({ failed }: { failed?: BargeError }) {
  return <>{failed && <Note bad>{errorText(failed)}</Note>}</>;
}

interface CardFormProps {
  readonly view: View;
  readonly action: string;
  readonly title: string;
  readonly label: string;
  /** True for the most important form of a page. */
  readonly main?: boolean;
  readonly children: Child;
}

/** A card with a title, fields and a button. */
export function CardForm({ view, action, title, label, main, children, ...form }: CardFormProps) {
  return (
    <form class="card stack" method="post" action={action} {...form}>
      <h2>{title}</h2>
      <Csrf view={view} />
      {children}
      <div class="row end">
        <button type="submit" class={main ? "b main" : "b"}>{label}</button>
      </div>
    </form>
  );
}

/** A form that assets/main.js shows as a dialog; without JavaScript, a card on a page. */
export function DialogForm(
  { view, title, failed, action, cancel, label, button, children }: DialogFormProps,
) {
  return (
    <form class="card ask" method="post" action={action} data-question>
      <h1>{title}</h1>
      <Failure failed={failed} />
      <Csrf view={view} />
      {children}
      <div class="row end">
        <a class="b flat" href={cancel} data-cancel>Cancel</a>
        <button type="submit" class="b main" {...button} data-default>{label}</button>
      </div>
    </form>
  );
}

interface ButtonFormProps {
  readonly view: View;
  readonly action: string;
  readonly label: string;
  /** The label for screen readers, if it says more. */
  readonly fullLabel?: string;
  /** A hidden field. */
  readonly field?: readonly [name: string, value: string];
  readonly class?: string;
}

/** A form that is one button. */
export function ButtonForm({ view, action, label, fullLabel, field, ...form }: ButtonFormProps) {
  return (
    <form method="post" action={action} {...form}>
      <Csrf view={view} />
      {field && <input type="hidden" name={field[0]} value={field[1]} />}
      <button type="submit" class="b" aria-label={fullLabel}>{label}</button>
    </form>
  );
}
