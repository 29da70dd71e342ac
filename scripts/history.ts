/**
 * `deno task history [--seconds 600] [--clients 20] [--seed N]`: runs clients with random requests on three nodes
 * (tests/_history.ts), while nodes are killed with -9 and started again, and the connections to PostgreSQL and
 * S3 are cut, refused and hang. At the end each acknowledged file must have its digest, the used bytes must be
 * the sum of the sizes, and each object must be of some file. The engines are those of the tests
 * (tests/engines/engines).
 */
import { runHistory } from "../tests/_history_run.ts";
import { numbers, say } from "./run.ts";

const options = numbers(Deno.args, { seconds: 600, clients: 20, seed: Date.now() % 1e9 });
say(`${options.clients} clients for ${options.seconds} s, seed ${options.seed}`);
await runHistory({ ...options, say });
