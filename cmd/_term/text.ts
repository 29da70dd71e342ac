/** Text from strangers, made safe for a terminal, and for programs that read lines. */
export { oneLine, printable } from "../../core/protocol/printable.ts";
