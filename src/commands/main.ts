export async function main(argv: string[]) {
  console.log(argv, process.version);
}
