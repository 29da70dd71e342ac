/** `barge bench tcp`. */
import { echoLoad } from "../_bench/echo_load.ts";

export default echoLoad("tcp");
