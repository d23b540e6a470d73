// Runs before the first paint. A file of its own, since the page allows no script inside it.
(() => {
  let mode = "system";
  try {
    mode = localStorage.getItem("bascule.theme") || "system";
  } catch {
    // Storage is shut off: the system decides.
  }
  const isDark =
    mode === "dark" || (mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
})();
