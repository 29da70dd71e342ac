/**
 * `deno task history [--seconds 600] [--clients 20] [--seed N]`: runs clients with random requests on three nodes
 * (tests/_history.ts), while nodes are killed with -9, stopped with SIGSTOP and started again, PostgreSQL is
 * restarted, radosgw is killed, either is stopped with SIGSTOP for 30 s, and proxies cut, delay and lose what
 * nodes and engines send. At the end each acknowledged file must have its digest, the used bytes must be the sum
 * of the sizes, and each object must be of some file. It starts engines of its own (tests/engines/engines).
 */
import { OwnEngines } from "../tests/_engines.ts";
import { runHistory } from "../tests/_history_run.ts";
import { numbers, say } from "./run.ts";

const options = numbers(Deno.args, { seconds: 600, clients: 20, seed: Date.now() % 1e9 });
await using engines = await OwnEngines.start();
say(`${options.clients} clients for ${options.seconds} s, seed ${options.seed}`);
await runHistory({ ...options, say, engines });
