/** `barge user enable`: lets a disabled account log in again. */
import { able } from "../_data/enable.ts";

export default able(
  false,
  `Lets an account log in again, with the password and tokens that it had.`,
);
