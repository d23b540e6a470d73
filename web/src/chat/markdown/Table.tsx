import type { ReactNode } from "react";

/** A table that scrolls sideways where the page is narrow. */
export function Table({ head, rows }: { head: ReactNode[]; rows: ReactNode[][] }) {
  return (
    <div
      role="group"
      aria-label="Table"
      tabIndex={0}
      className="max-w-full overflow-x-auto rounded-lg border break-words"
    >
      <table className="w-full border-collapse text-sm">
        <thead className="bg-sunken text-left">
          <tr>
            {head.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other names.
              <th key={index} scope="col" className="max-w-80 px-3 py-1.5 font-medium">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other names.
            <tr key={index} className="border-t">
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other names.
                <td key={column} className="max-w-80 px-3 py-1.5 align-top">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
