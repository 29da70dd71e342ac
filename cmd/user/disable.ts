/** `barge user disable`: keeps an account from logging in. */
import { enableCommand } from "../_data/enable.ts";

export default enableCommand(
  true,
  `Keeps an account from logging in. Its files stay, and those in /public stay visible. A login gets
   the same answer as one with a wrong password.`,
);
