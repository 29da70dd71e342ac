import { Field } from "../form.tsx";

/** A field for a code of the second factor. @param id unique on the page; the field's name is `code` */
export function CodeField({ id = "code", autofocus }: { id?: string; autofocus?: boolean }) {
  return (
    <Field
      id={id}
      name="code"
      label="Code"
      hint="of the authenticator app, or a recovery code"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck={false}
      maxlength={100}
      autofocus={autofocus}
    />
  );
}
