/** `barge user enable`: lets a disabled account log in again. */
import { enableCommand } from "../_data/enable.ts";

export default enableCommand(
  false,
  `Lets a disabled account log in again, with its old password and tokens.`,
);
