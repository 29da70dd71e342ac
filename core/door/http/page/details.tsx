/** The page of one file or folder: preview, details, actions. */
import { formatSize } from "../../../size.ts";
import { BargeError } from "../../../error.ts";
import type { Entry } from "../../../protocol/message.ts";
import { get } from "../../../session/get.ts";
import type { Session } from "../../../login/session.ts";
import { isRestricted } from "../../../login/scope.ts";
import { stat } from "../../../session/stat.ts";
import { encodePath, split } from "../path.ts";
import { downloadOf, iconOf, sectionOf } from "./folder.tsx";
import { PathBreadcrumbs } from "./breadcrumbs.tsx";
import { lookOf } from "./format.ts";
import { Csrf, Digest, Fact, Icon, PageHead, send, Shell, Time } from "./layout.tsx";
import { type PageContext, type UserView, userView } from "./view.ts";

const maxPreviewBytes = 64 * 1024;

/** GET /about/PATH. */
export async function showDetails(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const { path } = view.exchange.pathBelow("/about");
  const { entry } = await stat(view.session, path);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder", { path });
  if (split(path).dir === "/") return c.redirect(`/files${encodePath(path)}/`, 303);
  const look = entry.type === "dir" ? "other" : lookOf(entry.name);
  const text = look === "text" ? await textPreview(view.session, path) : undefined;
  return await send(
    <Shell view={view} title={entry.name} section={sectionOf(path)}>
      <PageHead view={view}>
        <PathBreadcrumbs path={path} />
      </PageHead>
      <div class="about">
        <section class="card view" aria-label="Preview">
          <Preview path={path} entry={entry} text={text} />
        </section>
        <div class="stack">
          <Actions view={view} path={path} entry={entry} />
          <Facts path={path} entry={entry} />
        </div>
      </div>
    </Shell>,
  );
}

/** Reads the start of a text file. @returns undefined for binary data */
async function textPreview(session: Session, path: string): Promise<string | undefined> {
  const file = await get(session, path, 0);
  try {
    const bytes = await file.rest(Math.min(file.size, maxPreviewBytes));
    if (bytes.includes(0)) return undefined;
    const text = new TextDecoder().decode(bytes, { stream: true });
    return file.size > bytes.length ? `${text}\n…` : text;
  } finally {
    file.close();
  }
}

function Preview({ path, entry, text }: { path: string; entry: Entry; text?: string }) {
  const { name, type } = entry;
  const src = `/raw${encodePath(path)}`;
  if (text !== undefined) {
    return <pre class="mono" tabindex={0} aria-label={`The text of ${name}`}>{text}</pre>;
  }
  const look = type === "dir" ? "dir" : lookOf(name);
  switch (look) {
    case "image":
      return <img src={src} alt={name} />;
    case "video":
      return <video src={src} controls preload="metadata" aria-label={name}></video>;
    case "audio":
      return <audio src={src} controls preload="metadata" aria-label={name}></audio>;
    case "pdf":
      return <iframe src={src} title={name}></iframe>;
  }
  return (
    <div class="empty">
      <Icon name={look === "dir" ? "folder" : iconOf(name)} />
      <p>{look === "dir" ? "A folder" : "This kind of file has no preview."}</p>
      {look === "dir" && <a class="b" href={`/files${encodePath(path)}/`}>Open</a>}
    </div>
  );
}

async function Actions({ view, path, entry }: { view: UserView; path: string; entry: Entry }) {
  const { dir, name } = split(path);
  const folder = entry.type === "dir";
  const inPublic = sectionOf(path) === "public";
  const { session } = view;
  const canShare = !isRestricted(session.scope) &&
    (!inPublic || !folder || (await session.account()).role === "admin");
  const actions = [
    ["rename", "rename", "Rename"],
    ["move", "move", "Move"],
    ["copy", "copy", "Copy"],
    inPublic ? ["claim", "home", "Claim"] : ["publish", "public", "Publish"],
    ["delete", "trash", "Delete"],
  ];
  return (
    <form class="card verbs" method="post" action="/do/rename" data-files>
      <Csrf view={view} />
      <input type="hidden" name="dir" value={dir} />
      <input type="hidden" name="name" value={name} />
      <a class="b main wide" {...downloadOf(path, folder)}>
        <Icon name="download" />
        {folder ? "Download as zip" : "Download"}
      </a>
      {folder && (
        <a class="b wide" {...downloadOf(path, folder, "tar")}>
          <Icon name="download" />Download as tar
        </a>
      )}
      {canShare && (
        <a class="b" href={`/links/new?path=${encodeURIComponent(path)}`} data-dialog>
          <Icon name="link" />Share
        </a>
      )}
      {actions.map(([verb, icon, label]) => (
        <button type="submit" class="b" formaction={`/do/${verb}`}>
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </form>
  );
}

function Facts({ path, entry }: { path: string; entry: Entry }) {
  const { size, modified, owner, sha256, type } = entry;
  return (
    <section class="card stack" aria-label="Details">
      <h2>Details</h2>
      <dl>
        {type === "file" && (
          <Fact term="Size">
            {formatSize(size)}
            {size >= 1000 && <small>({size.toLocaleString("en")} bytes)</small>}
          </Fact>
        )}
        <Fact term="Changed">
          <Time at={modified} />
        </Fact>
        {owner !== null && <Fact term="Owner">{owner}</Fact>}
        <Fact term="Path" class="mono">{path}</Fact>
        {type === "file" && <Digest sha256={sha256} />}
      </dl>
    </section>
  );
}
