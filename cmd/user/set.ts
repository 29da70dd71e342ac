/** `barge user set`: changes an account's role, its end, where it logs in from, and its second factor. */
import { BargeError } from "../../core/error.ts";
import { accountFields, accountsCommand, networksOf, stateOf } from "../_data/accounts.ts";
import { argument, flag, value, values as several } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { endOrNone, plain } from "../_term/value.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    expires: value(endOrNone(), "When it ends: a date like 2027-01-31, a span like 90d, or none"),
    from: several(plain("CIDR"), "A network that it may log in from; may be repeated; or none"),
    admin: flag("Make it an admin"),
    noAdmin: flag("Make it a user; its quota stays"),
    noTotp: flag("Remove its second factor, after which the password suffices"),
  },
  about:
    `Changes an account's role, when it ends, and the networks that it may log in from. A login that
    these limits refuse gets the answer to a wrong password; the log has the reason. Open connections that
    they refuse are cut within three seconds. The files stay.

    --no-totp is for a person who has lost the authenticator app and the recovery codes. Only the
    account itself can enable a second factor: \`barge totp enable\`.

    The last admin that can log in stays an admin, and has no end. \`barge quota set\` changes quotas.`,
  examples: [
    ["barge user set guest --expires 2027-01-31", "let guest log in until then"],
    ["barge user set bob --from 10.0.0.0/8 --from 192.0.2.7", "only from there"],
    ["barge user set bob --expires none --from none", "remove both limits"],
    ["barge user set alice --admin", "make alice an admin"],
    ["barge user set bob --no-totp", "let bob log in without a code"],
  ],
  otherVerbs: {
    "--quota": "use `barge quota set NAME SIZE`",
    "--entries": "use `barge quota set NAME --entries N`",
  },
  async run({ name, expires, from, admin, noAdmin, noTotp, json }, { accounts }) {
    const networks = networksOf(from);
    const isLimited = expires !== undefined || networks !== undefined;
    if (admin && noAdmin) {
      throw new BargeError("usage", "--admin and --no-admin exclude each other");
    }
    if (!isLimited && !admin && !noAdmin && !noTotp) {
      throw new BargeError("usage", "nothing is to be changed", {
        hint: "give --expires, --from, --admin, --no-admin or --no-totp",
      });
    }
    const role = admin ? "admin" : noAdmin ? "user" : undefined;
    const totp = noTotp ? false : undefined;
    const before = await accounts.get(name);
    const account = await accounts.change(name, { role, expires, from: networks, totp });
    if (json) return printJson(accountFields(account));
    if (role) {
      const now = role === before.role ? "was already" : "is now";
      note(`${account.name} ${now} ${role === "admin" ? "an admin" : "a user"}`);
    }
    if (isLimited) {
      const end = account.expires === null ? "never" : new Date(account.expires).toISOString();
      const places = account.from?.join(", ") ?? "any address";
      note(`${account.name} ends: ${end}${stateOf(account)}; logs in from: ${places}`);
    }
    if (noTotp) {
      const outcome = before.totp
        ? "has no second factor any more: the password suffices, unless `serve` has --require-totp"
        : "had no second factor";
      note(`${account.name} ${outcome}`);
    }
  },
});
