/** Where logs go: standard error, as text on a terminal, else a JSON object a line. */
import {
  ansiColorFormatter,
  configureSync,
  defaultTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";

const encoder = new TextEncoder();

/**
 * How records become text. What strangers chose, names above all, must be a property and never a
 * part of the message: then line feeds and escape sequences in it come out escaped, and no record
 * looks like two.
 */
export function formatter(terminal: boolean, color: boolean): TextFormatter {
  if (!terminal) return jsonLinesFormatter;
  return color ? ansiColorFormatter : defaultTextFormatter;
}

/** Configures this isolate's logging; each isolate has its own. */
export function configureLog(): void {
  const format = formatter(Deno.stderr.isTerminal(), !Deno.noColor);
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
