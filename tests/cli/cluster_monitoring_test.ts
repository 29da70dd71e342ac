/** The dashboard and the alert rules of docs/monitoring, on what a node of a cluster shows. */
import { hasEngines } from "../contract/store/_shared.ts";
import {
  args,
  assertKnown,
  assertResults,
  env,
  samplesAfterUse,
  testByPromtool,
} from "./_monitoring.ts";
import { Nodes } from "./_nodes.ts";
import type { Sample } from "./_promql.ts";

async function samplesOfNode(): Promise<Sample[]> {
  await using nodes = await Nodes.make();
  const token = await nodes.addUser("anna");
  const node = await nodes.start({ args: [...args, "--node-name", "a"], env });
  return await samplesAfterUse(node, token);
}

Deno.test({
  name: "the dashboard and the alerts read what a node shows",
  ignore: !hasEngines,
  async fn() {
    const samples = await samplesOfNode();
    const names = new Set(samples.map(({ name }) => name));
    const ofMachine = (metric: string) =>
      metric.startsWith("barge_disk_") || names.has(metric.replace(/^barge_/, "barge_cluster_"));
    assertKnown(samples, "cluster", ofMachine);
  },
});

testByPromtool("each panel has a result from what a node shows", async () => {
  await assertResults(await samplesOfNode(), "cluster");
}, !hasEngines);
