/** A file as text, as Vite brings it into a test that has no file system. */
declare module "*?raw" {
  const text: string;
  export default text;
}
