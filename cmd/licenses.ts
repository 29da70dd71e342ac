/** `barge licenses`: prints the licenses of barge and of its parts. */
import { command } from "./_term/command.ts";
import { print, printJson } from "./_term/out.ts";

export default command({
  options: {},
  about: `Prints the licenses of barge, of the runtime that its executable carries, and of every
    package in it. Needs no server and no network.`,
  examples: [
    ["barge licenses | less", "read them"],
    ["barge licenses --json", "one object a line: name, version, license, text"],
  ],
  async run({ json }) {
    const { licenses, licenseText } = await import("./_licenses.ts");
    if (json) licenses.forEach(printJson);
    else print(licenseText());
  },
});
