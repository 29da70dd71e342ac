/** Where logs go: standard error, as text on a terminal, else a JSON object a line. */
import {
  ansiColorFormatter,
  configureSync,
  defaultTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
} from "@logtape/logtape";

const encoder = new TextEncoder();

/** Configures this isolate's logging; each isolate has its own. */
export function configureLog(): void {
  const terminal = Deno.stderr.isTerminal();
  const format = !terminal
    ? jsonLinesFormatter
    : Deno.noColor
    ? defaultTextFormatter
    : ansiColorFormatter;
  const sink = (record: LogRecord) => {
    const line = encoder.encode(String(format(record)));
    for (let done = 0; done < line.length;) done += Deno.stderr.writeSync(line.subarray(done));
  };
  configureSync({
    sinks: { stderr: sink },
    loggers: [
      { category: "barge", lowestLevel: "info", sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
    reset: true,
  });
}
