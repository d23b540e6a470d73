// Fails where a lock file names the place that packages came from, which holds for one machine, or
// lacks packages for other systems, which npm leaves out where its registry does not have them and
// then refuses to go on without. With --write it adds those. They have no digest, since there is no
// archive to take one from: npm checks them on the systems they are for against its registry alone.
// Every other package must have one. Where the registry has them all, "npm install" puts them in.

import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
];

/** Every package that another one would like to have, and the lock file does not know. */
function missingIn(packages) {
  const wished = Object.values(packages).flatMap((one) =>
    Object.entries(one.optionalDependencies ?? {}).map(([name, version]) => [
      name,
      version,
      one.dev,
    ]),
  );
  return wished.filter(
    ([name]) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)),
  );
}

function entryOf([name, version, dev]) {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.filter((one) => words.includes(one));
  const cpu = PROCESSORS.filter((one) => words.includes(one));
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : [];
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(dev && { dev }),
    ...(libc.length > 0 && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

/** Packages that would be installed unchecked, but for those that only other systems install. */
function uncheckedIn(packages) {
  return Object.entries(packages)
    .filter(([path, one]) => path !== "" && !one.integrity && !one.link)
    .filter(([, one]) => !one.optional || !(one.os ?? one.cpu) || isForHere(one))
    .map(([path]) => path);
}

/** Whether CI and the image, which have Linux with glibc on x64, install it. */
function isForHere({ os, cpu, libc }) {
  const has = (list, value) => list === undefined || list.includes(value);
  return has(os, "linux") && has(cpu, "x64") && has(libc, "glibc");
}

for (const path of ["package-lock.json", "codegen/package-lock.json"]) {
  const text = readFileSync(path, "utf8");
  const lock = JSON.parse(text);
  const missing = missingIn(lock.packages);
  if (missing.length > 0 && process.argv.includes("--write")) {
    for (const one of missing) lock.packages[`node_modules/${one[0]}`] = entryOf(one);
    const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(
      path,
      `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
    );
  } else if (missing.length > 0) {
    console.error(
      `${path} lacks ${missing.map(([name]) => name).join(", ")}: node tooling/lock.mjs --write`,
    );
    process.exitCode = 1;
  }
  const unchecked = uncheckedIn(lock.packages);
  if (unchecked.length > 0) {
    console.error(`${path} has no integrity for ${unchecked.join(", ")}: npm install`);
    process.exitCode = 1;
  }
  if (/"resolved":|registry\./.test(text)) {
    console.error(
      `${path} names a registry: npm install with omit-lockfile-registry-resolved=true`,
    );
    process.exitCode = 1;
  }
}
