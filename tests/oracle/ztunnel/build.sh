#!/bin/sh
# Builds the oracle inside a copy of istio/ztunnel: build.sh FOLDER, where FOLDER is a clone. Needs cargo and protoc; half an hour on two cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
git checkout -q 62d826530e5ce85764e309170205b293efcbc80b
sed -i '/boring/d' Cargo.toml # a dependency from Git that is not needed
rm -f .cargo/config.toml
cat "$here/oracle.rs" >> src/proxy/outbound.rs
printf '\n#[cfg(feature = "testing")]\npub async fn oracle() {\n    outbound::oracle::run().await\n}\n' >> src/proxy.rs
mkdir -p src/bin
printf '#[tokio::main]\nasync fn main() {\n    ztunnel::proxy::oracle().await;\n}\n' > src/bin/oracle.rs
sed -i 's|^    pub fn read(&self) -> RwLockReadGuard|    pub fn state_for_oracle(\&self) -> std::sync::RwLockWriteGuard<'"'"'_, ProxyState> {\n        self.state.write().unwrap()\n    }\n\n&|' src/state.rs
cargo build -q --no-default-features --features tls-ring,testing --bin oracle
echo "built: $1/target/debug/oracle"
