/** Looks at the process of the server that runs on the data directory, where this user can see it. */
import { lastServer } from "../serve/data.ts";
import { runningServers } from "../serve/running_servers.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";
import { describeUser } from "./user_name.ts";

/** Returns verdicts on the state, the version and the user of the process. */
export function checkServerProcess({ data, version }: LocalSetup): Verdict[] {
  const server = runningServers().find((running) => running.data === data);
  if (!server) {
    const message = "No running server on the data directory can be seen.";
    return [{ severity: "note", message, path: data }];
  }
  const { pid } = server;
  const status = readStatus(pid);
  const [, state] = /^State:\s+(\S)/m.exec(status) ?? [];
  const [, uid] = /^Uid:\s+\d+\s+(\d+)/m.exec(status) ?? [];
  const label = `The server (process ${pid})`;
  if (state !== undefined && "TtZ".includes(state)) {
    const [how, advice] = state === "Z"
      ? ["has ended, and its parent has not noticed", "Restart the service."]
      : ["is stopped, and answers nobody", `Run kill -CONT ${pid}, or restart the service.`];
    return [{ severity: "bad", message: `${label} ${how}.`, advice }];
  }
  const verdicts: Verdict[] = [{ severity: "ok", message: `${label} runs.` }];
  const facts = lastServer(data);
  if (facts?.pid === pid && facts.version !== version) {
    const message = `${label} is barge ${facts.version}, and this program is barge ${version}.`;
    verdicts.push({ severity: "note", message });
  }
  const owner = Deno.statSync(data).uid;
  if (uid !== undefined && owner !== null && Number(uid) !== owner) {
    const users = `${describeUser(uid)}, and its data directory belongs to ${describeUser(owner)}`;
    const message = `${label} runs as ${users}.`;
    verdicts.push({ severity: "warn", message, advice: "Run the server as the owner." });
  } else if (uid === "0") {
    const message = `${label} runs as root.`;
    const advice = "Run it as a user of its own: `barge serve --print-unit` prints such a unit.";
    verdicts.push({ severity: "note", message, advice });
  }
  return verdicts;
}

function readStatus(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch {
    return ""; // the process has ended, or is hidden
  }
}
