/** Failures, and hints about them, that uploads and downloads share. */
import { BargeError } from "../../error.ts";

/** The hint after a connection broke. */
export const resumeHint = "run the same command again to resume";
/** The hint where the target has a folder in place of a file, or the reverse. */
export const deleteHint = "--delete removes what is in the way";

/** Returns the failure with {@link resumeHint} if the connection broke. */
export function withResumeHint(error: BargeError): BargeError {
  return error.kind === "unavailable" ? error.with({ hint: resumeHint }) : error;
}

/** Returns the failure of a file that may not be replaced. */
export function existsAlready(path: string): BargeError {
  return new BargeError("exists", "it exists already", { path });
}

/** Returns the failure of a file whose folder could not be made. */
export function noFolderFor(path: string): BargeError {
  const why = "its folder could not be made: something else has that name";
  return new BargeError("exists", why, { path });
}
