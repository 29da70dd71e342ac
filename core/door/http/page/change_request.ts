/** The fields of the page's forms that change files. */

export const changeVerbs = [
  "mkdir",
  "rename",
  "move",
  "copy",
  "publish",
  "claim",
  "delete",
] as const;
export type ChangeVerb = typeof changeVerbs[number];

export interface ChangeRequest {
  readonly verb: ChangeVerb;
  /** The folder that holds the entries to change. */
  readonly dir: string;
  /** Names of entries in that folder. */
  readonly names: readonly string[];
  /** The new name, or the target folder; undefined until the form has it. */
  readonly to: string | undefined;
  /** The folder that the dialog shows while a target is chosen. */
  readonly at: string | undefined;
  /** Whether publishing or claiming leaves the original. */
  readonly keep: boolean;
  readonly confirmed: boolean;
}

/** Reads the fields of a form. */
export function changeRequestOf(verb: ChangeVerb, form: URLSearchParams): ChangeRequest {
  const to = form.get("to")?.trim();
  return {
    verb,
    dir: form.get("dir") ?? "",
    names: form.getAll("name"),
    to: to === "" ? undefined : to,
    at: form.get("at") ?? undefined,
    keep: form.get("keep") !== "no",
    confirmed: form.has("sure"),
  };
}

/** Returns whether the form has all fields for the change. */
export function isComplete({ verb, to, confirmed }: ChangeRequest): boolean {
  return verb === "delete" ? confirmed : to !== undefined;
}
