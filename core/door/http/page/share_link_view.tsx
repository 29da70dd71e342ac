/** The views of a share link, for visitors. */
import { formatSize } from "../../../size.ts";
import type { Entry } from "../../../protocol/message.ts";
import { describeOmission } from "../../../protocol/omission.ts";
import type { OpenLink } from "../../../session/share.ts";
import { encodePath, split } from "../path.ts";
import { Breadcrumbs } from "./breadcrumbs.tsx";
import { iconOf } from "./folder.tsx";
import { Field } from "./form.tsx";
import { counted } from "../../../counted.ts";
import { Csrf, Digest, Icon, Note, Time } from "./layout.tsx";
import type { Listing } from "./listing.ts";
import type { View } from "./view.ts";

interface SharedProps {
  readonly link: OpenLink;
  /** /s/TOKEN */
  readonly url: string;
}

export function SharedFile({ link, url }: SharedProps) {
  const { name, size, modified, sha256 } = link.entry;
  return (
    <section class="card shared">
      <Icon name={iconOf(name)} class="big" />
      <h1>{name}</h1>
      <p class="soft">
        {formatSize(size)}, changed <Time at={modified} />
      </p>
      <a class="b main" href={`${url}/get/${encodeURIComponent(name)}`} download={name}>
        <Icon name="download" />Download
      </a>
      {sha256 !== null && (
        <dl>
          <Digest sha256={sha256} />
        </dl>
      )}
      <Expiry link={link} />
    </section>
  );
}

/** @param below the folder's path inside the shared one; `/` for the shared one */
export function SharedFolder(
  { link, url, below, listed }: SharedProps & { below: string; listed: Listing },
) {
  const { name } = link.entry;
  const { entries, matching, bytes, pages } = listed;
  const parts = below.split("/").filter(Boolean);
  const urlOf = (i: number) =>
    i === 0 ? url : `${url}/in/${encodePath(parts.slice(0, i).join("/"))}/`;
  const zip = `${url}/zip${encodePath(below === "/" ? "" : below)}/`;
  return (
    <section class="shared folder">
      <div class="head">
        <Breadcrumbs parts={[name, ...parts]} urlOf={urlOf} />
        {matching > 0 && (
          <a class="b main" href={zip} download={`${split(below).name || name}.zip`}>
            <Icon name="download" />Download all
          </a>
        )}
      </div>
      {entries.length === 0
        ? <div class="list empty">This folder is empty.</div>
        : (
          <div class="list">
            <table>
              <caption class="sr">Contents of {name}</caption>
              <thead>
                <tr>
                  <th class="name" scope="col">Name</th>
                  <th class="size" scope="col">Size</th>
                  <th class="acts" scope="col">
                    <span class="sr">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => <Row url={url} below={below} entry={entry} />)}
              </tbody>
            </table>
          </div>
        )}
      {listed.omitted && (
        <p class="soft">Not everything is here: {describeOmission(listed.omitted)}.</p>
      )}
      <div class="foot">
        <span>
          {counted(matching, "item")}
          {bytes > 0 && `, ${formatSize(bytes)}`}
        </span>
        <Expiry link={link} />
        {pages > 1 && (
          <nav class="row" aria-label="Pages">
            {Array.from({ length: pages }, (_, i) => <a href={`?page=${i + 1}`}>{i + 1}</a>)}
          </nav>
        )}
      </div>
    </section>
  );
}

function Row({ url, below, entry }: { url: string; below: string; entry: Entry }) {
  const { name, size, type, sha256 } = entry;
  const dir = type === "dir";
  const path = encodePath(`${below === "/" ? "" : below}/${name}`);
  const href = dir ? `${url}/in${path}/` : `${url}/get${path}`;
  return (
    <tr>
      <td class={dir ? "name dir" : "name"}>
        <a href={href} download={dir ? undefined : name}>
          <Icon name={dir ? "folder" : iconOf(name)} />
          <span title={sha256 === null ? undefined : `SHA-256 ${sha256}`}>{name}</span>
        </a>
      </td>
      <td class="size">{dir ? "" : formatSize(size)}</td>
      <td class="acts">
        {!dir && (
          <a
            class="b icon"
            href={href}
            download={name}
            aria-label={`Download ${name}`}
            title="Download"
          >
            <Icon name="download" />
          </a>
        )}
      </td>
    </tr>
  );
}

function Expiry({ link: { share: { expires } } }: { link: OpenLink }) {
  return (
    <small>
      This link expires <Time at={expires} />.
    </small>
  );
}

export function AskPassword({ view, url, error }: { view: View; url: string; error?: string }) {
  return (
    <form class="card" method="post" action={url}>
      <h1>This link has a password</h1>
      {error && <Note bad>{error}</Note>}
      <p class="soft">Ask the sender of the link for it.</p>
      <Csrf view={view} />
      <Field id="password" label="Password" type="password" autofocus />
      <button type="submit" class="b main">Open</button>
    </form>
  );
}

export function InvalidLink() {
  return (
    <section class="card shared">
      <Icon name="link" class="big" />
      <h1>This link is not valid</h1>
      <p class="soft">
        It may have expired, have no downloads left, or be incomplete. Ask its sender for a new
        link.
      </p>
    </section>
  );
}
