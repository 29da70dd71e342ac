/** `barge totp recovery`: replaces the recovery codes. */
import { renewRecoveryCodes } from "../../core/client/totp.ts";
import { needCode, printCodes, totpCommand } from "../_client/totp.ts";

export default totpCommand({
  options: {},
  about: `Makes new recovery codes in place of the old ones, and prints them once. It needs the
    password and a code, or a recovery code.`,
  examples: [["barge totp recovery > codes.txt", "keep the codes in a file"]],
  async run(values, factor, { signal }) {
    const { account, password, at } = factor;
    const code = await needCode(values, factor, signal);
    const codes = await at((client) => renewRecoveryCodes(client, { account, password, code }));
    printCodes(values.json, account, codes);
  },
});
