/** What an engine gets of our environment. Weed reads variables named like its flags as flags (`S3`, `IP`, `DIR`), so almost nothing. */
export function cleanEnvironment(source: Readonly<Record<string, string | undefined>> = process.env): Record<string, string> {
  return { PATH: source.PATH ?? '/usr/local/bin:/usr/bin:/bin', HOME: source.HOME ?? '/' };
}

/** What an installer needs beside that: where its index is, which certificates to trust, how to get out. */
const INSTALLER_VARIABLES =
  /^(PIP_|UV_|SSL_CERT_|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|(https?|no|all)_proxy$|TMPDIR$|LANG$|LC_|XDG_|PYENV_|VIRTUAL_ENV$)/i;

export function installerEnvironment(source: Readonly<Record<string, string | undefined>> = process.env): Record<string, string> {
  const passed = Object.entries(source).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && INSTALLER_VARIABLES.test(entry[0]),
  );
  return { ...cleanEnvironment(source), ...Object.fromEntries(passed) };
}
