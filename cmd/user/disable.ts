/** `barge user disable`: keeps an account from logging in. */
import { able } from "../_data/enable.ts";

export default able(
  true,
  `Keeps an account from logging in, with a password or a token. Its files stay, those in /public
   for everyone to see. A disabled account is told the same as a wrong password.`,
);
