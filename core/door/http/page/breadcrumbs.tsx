/** The breadcrumbs of a folder or file. */
import { encodePath } from "../path.ts";

/** Returns the display name of the first part of a path. */
export function placeName(part: string): string {
  return { home: "Home", public: "Public" }[part] ?? part;
}

/** @param path of the shown folder or file; each part but the last is a link */
export function Breadcrumbs({ path }: { path: string }) {
  const parts = path.split("/").slice(1);
  return (
    <nav class="crumbs" aria-label="Path">
      <ol>
        {parts.map((part, i) => {
          const name = i === 0 ? placeName(part) : part;
          const href = `/files${encodePath(`/${parts.slice(0, i + 1).join("/")}`)}/`;
          const last = i === parts.length - 1;
          return <li>{last ? <h1 aria-current="page">{name}</h1> : <a href={href}>{name}</a>}</li>;
        })}
      </ol>
    </nav>
  );
}
