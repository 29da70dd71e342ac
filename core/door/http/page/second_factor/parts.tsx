/** The parts of the pages about second factors. */
import { issuerOf } from "../../issuer.ts";
import { CardPage, send } from "../layout.tsx";
import type { PageContext, View } from "../view.ts";
import { CodeField } from "./code_field.tsx";
import { QrCode } from "./qr_code.tsx";

/**
 * The fields to enable a second factor: the secret as a QR code and as text, and the code of the app. The secret is
 * in the form alone until the code is right.
 *
 * @param given the secret of a form that failed, which the app has already
 */
export async function NewFactor(
  { view, account, given }: { view: View; account: string; given: string | undefined },
) {
  const { newSecret, otpauthUrl } = await import("../../../../protocol/totp.ts");
  const secret = given ?? newSecret();
  const url = otpauthUrl({ secret, account, issuer: issuerOf(view.exchange) });
  return (
    <>
      <p>Scan this with an authenticator app, or enter the secret in it. Then type the code.</p>
      <QrCode text={url} label="The secret, as a QR code" />
      <p>
        <a href={url}>Open in an app</a> · <code id="secret">{secret}</code>
      </p>
      <input type="hidden" name="secret" value={secret} />
      <CodeField hint="that the app shows now" />
    </>
  );
}

/** The recovery codes, which are shown once. */
export function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <>
      <p>
        Keep these recovery codes: each logs in once in place of a code, if the app is lost. They
        can't be shown again.
      </p>
      <pre id="codes" class="mono">{codes.join("\n")}</pre>
    </>
  );
}

/**
 * Sends the recovery codes of a second factor that was just enabled, with the cookie that was set meanwhile.
 *
 * @param back the path to continue at
 */
export async function sendEnabled(
  c: PageContext,
  view: View,
  codes: readonly string[],
  back: string,
): Promise<Response> {
  const page = await send(
    <CardPage view={view} title="Recovery codes">
      <div class="card stack">
        <h1>The second factor is enabled</h1>
        <RecoveryCodes codes={codes} />
        <p>
          <a class="b main" href={back}>Continue</a>
        </p>
      </div>
    </CardPage>,
  );
  return c.newResponse(page.body, page);
}
