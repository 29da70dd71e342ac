/** A worker of _threads.ts: runs one function at a time. */
import * as sync from "../../../core/sync/mod.ts";
import type { Body, Report } from "./_threads.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<{ body: string; args: unknown }>) => void) | null;
  postMessage(report: Report): void;
};

scope.onmessage = async ({ data }) => {
  try {
    const body: Body<unknown, unknown> = new Function(`return ${data.body}`)();
    const result = await body(sync, data.args, (news) => scope.postMessage({ kind: "told", news }));
    scope.postMessage({ kind: "done", result });
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    scope.postMessage({ kind: "failed", error: stack ?? String(error) });
  }
};
