/** The folder of a user's settings. */

/** Returns the path of a file in $XDG_CONFIG_HOME/barge, or ~/.config/barge; undefined without a home. */
export function configPath(name: string): string | undefined {
  const xdg = Deno.env.get("XDG_CONFIG_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge/${name}`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  return home ? `${home}/.config/barge/${name}` : undefined;
}

/** The name of the client's file. */
export const clientFileName = "config.toml";

/** Returns the path of the client's file; undefined if there is none. */
export function existingClientFile(): string | undefined {
  const path = configPath(clientFileName);
  if (path === undefined) return undefined;
  try {
    Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
  }
  return path; // the reader reports any other failure
}
