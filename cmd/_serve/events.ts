/** The options of `barge serve` for events: the program and the webhooks that get them. */
import { dayMs } from "../../core/duration.ts";
import { createHash } from "node:crypto";
import { BargeError, typed } from "../../core/error.ts";
import { parseSecret } from "../../core/events/signature.ts";
import type { EventOptions, Webhook } from "../../core/serve/event_service.ts";
import { readCertificates } from "../_data/certificate_file.ts";
import { readSecretFile } from "../_data/secret_file.ts";
import { marked, value, valueOr, values, type ValuesOf } from "../_term/command.ts";
import { count, path, valueParser } from "../_term/value.ts";
import { commandLine, type hookOptions, wordsOf } from "./hooks.ts";

/** The variable that holds the secrets of webhooks, and that is not an option. */
export const webhookSecretVariable = "BARGE_WEBHOOK_SECRET";

/** The most secrets: the old one and the new one while they are exchanged. */
const maxSecrets = 4;

export const eventOptions = {
  onCommit: value(
    commandLine(),
    "Run this program after each upload, with a JSON object on its standard input",
  ),
  webhook: values(
    webhookUrl(),
    "Send each event to this URL: files that come, move and go, failed logins, bans, accounts " +
      "(several: repeated)",
  ),
  ...marked({
    webhookSecretFile: value(
      path("FILE"),
      "The file with the secret that signs these requests, `whsec_` and base64; or set " +
        `${webhookSecretVariable}. With several, one a line, each gives a signature`,
    ),
    webhookCa: value(
      path("FILE"),
      "The certificates, in PEM, of the authorities of these URLs, beside the system's",
    ),
  }, { needs: ["webhook"] }),
  ...marked({
    eventLimit: valueOr(
      count("N", 10, 1_000_000),
      100_000,
      "The most events that wait for the program, and for each URL; the oldest are dropped beyond it. " +
        "Default: 100000",
    ),
    eventDays: valueOr(
      count("DAYS", 1, 365),
      7,
      "The days after which an event is dropped that nobody took. Default: 7",
    ),
  }, { needs: ["onCommit", "webhook"] }),
};

type EventValues = ValuesOf<typeof eventOptions> & ValuesOf<typeof hookOptions>;

/**
 * Returns the delivery of events; undefined without a program or a webhook.
 *
 * @throws {BargeError} `usage` for webhooks without a secret, and for a bad one; the failure to read a file
 */
export async function eventsOf(options: EventValues): Promise<EventOptions | undefined> {
  const { onCommit, hookTimeout, hookJobs, eventLimit, eventDays, webhookCa } = options;
  const webhooks = webhooksOf(options.webhook);
  if (onCommit === undefined && webhooks.length === 0) return undefined;
  return {
    onCommit: onCommit === undefined ? undefined : wordsOf(onCommit),
    webhooks,
    secrets: webhooks.length > 0 ? await secrets(options) : [],
    trust: webhookCa === undefined ? undefined : [readCertificates(webhookCa, "--webhook-ca")],
    timeout: hookTimeout * 1000,
    jobs: hookJobs,
    maxEvents: eventLimit,
    maxAgeMs: eventDays * dayMs,
  };
}

/** Names each URL by its host, since a URL itself may be a secret. */
function webhooksOf(urls: readonly string[]): Webhook[] {
  return [...new Set(urls)].map((url) => {
    const digest = createHash("sha256").update(url).digest("hex").slice(0, 8);
    return { url, target: { name: `${new URL(url).host}-${digest}`, commitsOnly: false } };
  });
}

async function secrets({ webhookSecretFile: file }: EventValues): Promise<Uint8Array[]> {
  const ways = `write the secrets into a file, one a line, or set ${webhookSecretVariable}`;
  const text = file === undefined
    ? Deno.env.get(webhookSecretVariable)
    : await readSecretFile(file, "--webhook-secret-file", ways);
  if (text === undefined) {
    throw new BargeError("usage", "the secret of the webhooks is missing", {
      op: "--webhook",
      hint: `use --webhook-secret-file, or ${webhookSecretVariable}; make one with ` +
        '`echo "whsec_$(openssl rand -base64 32)"`',
    });
  }
  const lines = text.split(/\s+/).filter(Boolean);
  const at = { op: "--webhook-secret-file", path: file ?? webhookSecretVariable };
  if (lines.length === 0 || lines.length > maxSecrets) {
    throw new BargeError("usage", `it should have 1 to ${maxSecrets} lines with a secret each`, at);
  }
  try {
    return lines.map(parseSecret);
  } catch (error) {
    throw typed(error, at);
  }
}

function webhookUrl() {
  const parse = (text: string): string | undefined => {
    const url = URL.parse(text);
    const isPlain = url?.username === "" && url.password === "" && url.hash === "";
    return isPlain && /^https?:$/.test(url.protocol) ? url.href : undefined;
  };
  const wanted = "a URL like https://box.example/events, without a name and a password";
  return valueParser("URL", parse, wanted);
}
