import { Field } from "../form.tsx";

interface CodeFieldProps {
  /** Unique on the page. The name of the field is `code`. */
  readonly id?: string;
  /** Stands in the label, in parentheses. */
  readonly hint?: string;
  readonly autofocus?: boolean;
}

/** A field for a code of the second factor. */
export function CodeField(
  { id = "code", hint = "of the authenticator app, or a recovery code", autofocus }: CodeFieldProps,
) {
  return (
    <Field
      id={id}
      name="code"
      label="Code"
      hint={hint}
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck={false}
      maxlength={100}
      autofocus={autofocus}
    />
  );
}
