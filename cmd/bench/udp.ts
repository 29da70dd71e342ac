/** `barge bench udp`. */
import { echoLoad } from "../_term/echo_load.ts";

export default echoLoad("udp");
