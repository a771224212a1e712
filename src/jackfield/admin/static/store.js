// One value that many look at, outside of any component.

/** Hold a value; `watch(reader)` calls back at each change and returns how to stop. */
export function makeStore(value) {
  const readers = new Set();
  return {
    read: () => value,
    write(next) {
      value = next;
      for (const reader of [...readers]) {
        reader(value);
      }
    },
    watch(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
  };
}
