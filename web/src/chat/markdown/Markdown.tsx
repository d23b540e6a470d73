import type { Nodes, Root } from "mdast";
import { Fragment, memo, type ReactNode } from "react";
import { Code } from "./Code";
import { ExternalLink } from "./ExternalLink";
import { parse } from "./parse";
import { Table } from "./Table";

/** Markdown as text and a few elements. HTML stays text, images become links that say their host. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const root = parse(text);
  return (
    <div className="flex min-w-0 flex-col gap-3 wrap-anywhere">
      {typeof root === "string" ? (
        <p dir="auto" className="whitespace-pre-wrap">
          {root}
        </p>
      ) : (
        childrenOf(root, root)
      )}
    </div>
  );
});

function childrenOf(node: { children: Nodes[] }, root: Root): ReactNode[] {
  return node.children.map((child, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text has no other names.
    <Fragment key={index}>{paint(child, root)}</Fragment>
  ));
}

const HEADINGS = "mt-1 font-semibold";

function paint(node: Nodes, root: Root): ReactNode {
  switch (node.type) {
    case "text":
      return node.value;
    case "html":
      return node.value;
    case "paragraph":
      return (
        <p dir="auto" className="whitespace-pre-line">
          {childrenOf(node, root)}
        </p>
      );
    case "heading":
      return (
        <p dir="auto" className={node.depth < 3 ? `${HEADINGS} text-base` : HEADINGS}>
          {childrenOf(node, root)}
        </p>
      );
    case "strong":
      return <strong className="font-semibold">{childrenOf(node, root)}</strong>;
    case "emphasis":
      return <em>{childrenOf(node, root)}</em>;
    case "delete":
      return <del>{childrenOf(node, root)}</del>;
    case "break":
      return <br />;
    case "inlineCode":
      return (
        <code className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.85em]">{node.value}</code>
      );
    default:
      return paintBlock(node, root);
  }
}

function paintBlock(node: Nodes, root: Root): ReactNode {
  switch (node.type) {
    case "code":
      return <Code text={node.value} />;
    case "blockquote":
      return (
        <blockquote className="flex flex-col gap-2 border-l-4 pl-3 text-muted">
          {childrenOf(node, root)}
        </blockquote>
      );
    case "list": {
      const style = "flex flex-col gap-1 ps-5";
      return node.ordered ? (
        <ol dir="auto" start={node.start ?? 1} className={`${style} list-decimal`}>
          {childrenOf(node, root)}
        </ol>
      ) : (
        <ul dir="auto" className={`${style} list-disc`}>
          {childrenOf(node, root)}
        </ul>
      );
    }
    case "listItem":
      return (
        <li>
          {typeof node.checked === "boolean" && (node.checked ? "☑ " : "☐ ")}
          {childrenOf(node, root)}
        </li>
      );
    case "thematicBreak":
      return <hr />;
    case "table":
      return (
        <Table
          head={node.children[0]?.children.map((cell) => childrenOf(cell, root)) ?? []}
          rows={node.children
            .slice(1)
            .map((row) => row.children.map((cell) => childrenOf(cell, root)))}
        />
      );
    default:
      return paintReference(node, root);
  }
}

function paintReference(node: Nodes, root: Root): ReactNode {
  switch (node.type) {
    case "link":
      return <ExternalLink href={node.url}>{plainOr(node, root)}</ExternalLink>;
    case "image":
      return (
        <ExternalLink href={node.url}>{`Image: ${node.alt || "no description"}`}</ExternalLink>
      );
    case "linkReference": {
      const found = definitionOf(root, node.identifier);
      return <ExternalLink href={found}>{plainOr(node, root)}</ExternalLink>;
    }
    case "imageReference": {
      const found = definitionOf(root, node.identifier);
      return <ExternalLink href={found}>{`Image: ${node.alt || "no description"}`}</ExternalLink>;
    }
    case "footnoteReference":
      return `[${node.identifier}]`;
    case "definition":
      return null;
    case "footnoteDefinition":
      return (
        <div className="text-sm text-muted">
          [{node.identifier}] {childrenOf(node, root)}
        </div>
      );
    default:
      return "children" in node ? childrenOf(node as { children: Nodes[] }, root) : null;
  }
}

/** A link's text as a string where it is one, so that a host in it need not be said twice. */
function plainOr(node: { children: Nodes[] }, root: Root): ReactNode {
  const [only] = node.children;
  return node.children.length === 1 && only?.type === "text" ? only.value : childrenOf(node, root);
}

function definitionOf(root: Root, identifier: string): string {
  const found = root.children.find(
    (one) => one.type === "definition" && one.identifier === identifier,
  );
  return found?.type === "definition" ? found.url : "";
}
