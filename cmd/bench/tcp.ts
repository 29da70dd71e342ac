/** `barge bench tcp`. */
import { echoLoad } from "../_term/echo_load.ts";

export default echoLoad("tcp");
