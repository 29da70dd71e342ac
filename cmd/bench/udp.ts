/** `barge bench udp`. */
import { echoLoad } from "../_bench/echo_load.ts";

export default echoLoad("udp");
