/** Checks that one user owns the data directory and the files in it that the server must change. */
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";
import { describeUser } from "./user_name.ts";

/** The most files of another owner that are named. */
const maxNamed = 3;
/** The folder that ext4 makes at the top of a file system for root. */
const ofFileSystem = "lost+found";

/** Returns one verdict on the owner of the directory and of the files at its top. */
export function checkDataOwner({ data }: LocalSetup): Verdict[] {
  const { uid } = Deno.statSync(data);
  if (uid === null) return [];
  const owner = describeUser(uid);
  const foreign = Array.from(Deno.readDirSync(data), ({ name }) => name)
    .filter((name) => name !== ofFileSystem && Deno.lstatSync(`${data}/${name}`).uid !== uid)
    .sort();
  if (foreign.length > 0) {
    const shown = foreign.slice(0, maxNamed).join(", ") + (foreign.length > maxNamed ? " ..." : "");
    const message = `The data directory belongs to ${owner}, but not ${shown} in it.`;
    const advice = `As root, run chown -R ${uid} ${data}.`;
    return [{ severity: "bad", message, advice, path: data }];
  }
  const own = Deno.uid();
  if (own !== null && own !== uid && own !== 0) {
    const doctor = describeUser(own);
    const message = `The data directory belongs to ${owner}, and doctor runs as ${doctor}.`;
    const advice = "Run doctor, and the server, as the owner.";
    return [{ severity: "warn", message, advice, path: data }];
  }
  const message = `The data directory and the files at its top belong to ${owner}.`;
  return [{ severity: "ok", message, path: data }];
}
