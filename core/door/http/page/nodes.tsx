/** The nodes that share the storage, and their sums. */
import { formatSize } from "../../../size.ts";
import { type NodeStatus, type NodeSums, stateText, sumDoors } from "../../../watch/nodes.ts";
import { Time } from "./layout.tsx";

const titles = ["Connections", "Busy", "Receives", "Sends", "Received", "Sent"];

/** @param sums of the nodes that are not gone */
export function Nodes({ nodes, sums }: { nodes: readonly NodeStatus[]; sums: NodeSums }) {
  return (
    <section class="card stack" aria-labelledby="nodes">
      <h2 id="nodes">Nodes</h2>
      <div class="wrap" tabindex={0} role="group" aria-labelledby="nodes">
        <table class="plain">
          <thead>
            <tr>
              {["Node", "State", "Version", "Started"].map((title) => <th scope="col">{title}</th>)}
              {titles.map((title) => <th scope="col" class="num">{title}</th>)}
            </tr>
          </thead>
          <tbody>
            {nodes.map((node) => (
              <tr>
                <th scope="row" title={Object.values(node.doors).join(" ")}>{node.name}</th>
                <td>{stateText(node)}</td>
                <td>{node.version}</td>
                <td>
                  <Time at={node.started} />
                </td>
                {node.state === "gone"
                  ? (
                    <td colspan={titles.length}>
                      Last seen: <Time at={node.seen} />
                    </td>
                  )
                  : <Numbers report={node} />}
              </tr>
            ))}
            <tr>
              <th scope="row" colspan={4}>Sum of {sums.nodes}</th>
              <Numbers report={sums} />
            </tr>
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Numbers({ report }: { report: Pick<NodeSums, "counts" | "rates"> }) {
  const { open, busy, received, sent } = sumDoors(report.counts);
  const { rates } = report;
  const now = [`${formatSize(rates.received)}/s`, `${formatSize(rates.sent)}/s`];
  const cells = [open, busy, ...now, formatSize(received), formatSize(sent)];
  return <>{cells.map((cell) => <td class="num">{cell}</td>)}</>;
}
