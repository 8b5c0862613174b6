// Appended to src/proxy/outbound.rs of istio/ztunnel by build.sh: what ztunnel itself makes of a state and of connections.
//
// Reads JSON Lines {id, addresses, policies, routes: [{from, to}], rbac: [{src, identity, dst}]}; addresses and policies are protocol
// buffers as istiod sends them, in base64. Answers a line for each: where its outbound side sends a connection, and what its authorization
// says to one.
#[cfg(feature = "testing")]
pub mod oracle {
    use super::*;
    use crate::identity::Identity;
    use crate::proxy::connection_manager::ConnectionManager;
    use crate::proxy::{LocalWorkloadInformation, pool::WorkloadHBONEPool};
    use crate::state::{ProxyRbacContext, WorkloadInfo};
    use crate::test_helpers::helpers::test_proxy_metrics;
    use crate::test_helpers::new_proxy_state;
    use crate::xds::istio::security::Authorization as XdsAuthorization;
    use crate::xds::istio::workload::Address as XdsAddress;
    use crate::xds::istio::workload::address::Type;
    use crate::{identity, rbac, strng};
    use base64::Engine;
    use prost::Message;
    use serde::{Deserialize, Serialize};
    use std::io::BufRead;

    #[derive(Deserialize)]
    struct Input {
        id: String,
        addresses: Vec<String>,
        policies: Vec<String>,
        #[serde(default)]
        routes: Vec<Route>,
        #[serde(default)]
        rbac: Vec<Rbac>,
    }
    #[derive(Deserialize)]
    struct Route { from: String, to: String }
    #[derive(Deserialize)]
    struct Rbac { src: String, identity: Option<String>, dst: String }
    #[derive(Serialize, Default)]
    struct Routed { protocol: String, destination: String, hbone: String, workload: String, error: String }
    #[derive(Serialize, Default)]
    struct Output { id: String, routes: Vec<Routed>, rbac: Vec<String>, error: String }

    fn bytes(text: &str) -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }

    pub async fn run() {
        let cfg = Arc::new(crate::config::parse_config().unwrap());
        for line in std::io::stdin().lock().lines() {
            let input: Input = serde_json::from_str(&line.unwrap()).unwrap();
            let out = answer(&cfg, input).await;
            println!("{}", serde_json::to_string(&out).unwrap());
        }
    }

    async fn answer(cfg: &Arc<crate::config::Config>, input: Input) -> Output {
        let mut out = Output { id: input.id, ..Default::default() };
        let mut workloads = vec![];
        let mut services = vec![];
        for a in &input.addresses {
            match XdsAddress::decode(bytes(a).as_slice()).unwrap().r#type {
                Some(Type::Workload(w)) => workloads.push(w),
                Some(Type::Service(s)) => services.push(s),
                None => {}
            }
        }
        let policies: Vec<XdsAuthorization> =
            input.policies.iter().map(|p| XdsAuthorization::decode(bytes(p).as_slice()).unwrap()).collect();
        let state = new_proxy_state(&[], &services, &[]);
        {
            use crate::xds::ProxyStateUpdateMutator;
            let updater = ProxyStateUpdateMutator::new_no_fetch();
            let mut s = state.state_for_oracle();
            for w in workloads {
                updater.insert_workload(&mut s, w).unwrap();
            }
            for p in policies {
                let name = strng::format!("{}/{}", p.namespace, p.name);
                if let Err(e) = updater.insert_authorization(&mut s, name, p) {
                    out.error = e.to_string();
                }
            }
        }
        let sock_fact = Arc::new(crate::proxy::DefaultSocketFactory::default());
        for r in input.routes {
            let from: IpAddr = r.from.parse().unwrap();
            let source = state.fetch_workload_by_address(&NetworkAddress { network: "".into(), address: from }).await;
            let Some(source) = source else {
                out.routes.push(Routed { error: "no source".into(), ..Default::default() });
                continue;
            };
            let wi = WorkloadInfo { name: source.name.to_string(), namespace: source.namespace.to_string(), service_account: source.service_account.to_string() };
            let info = Arc::new(LocalWorkloadInformation::new(Arc::new(wi), state.clone(), identity::mock::new_secret_manager(std::time::Duration::from_secs(10))));
            let outbound = OutboundConnection {
                pi: Arc::new(ProxyInputs {
                    state: state.clone(), cfg: cfg.clone(), metrics: test_proxy_metrics(), socket_factory: sock_fact.clone(),
                    local_workload_information: info.clone(), connection_manager: ConnectionManager::default(), resolver: None,
                    disable_inbound_freebind: false, crl_manager: None,
                }),
                id: TraceParent::new(),
                pool: WorkloadHBONEPool::new(cfg.clone(), sock_fact.clone(), info.clone(), None, test_proxy_metrics()),
                hbone_port: 15008,
            };
            match outbound.build_request(source, from, r.to.parse().unwrap()).await {
                Ok(r) => out.routes.push(Routed {
                    protocol: format!("{:?}", r.protocol),
                    destination: r.actual_destination.to_string(),
                    hbone: r.hbone_target_destination.as_ref().map(|s| s.to_string()).unwrap_or_default(),
                    workload: r.actual_destination_workload.map(|w| w.name.to_string()).unwrap_or_default(),
                    error: String::new(),
                }),
                Err(e) => out.routes.push(Routed { error: e.to_string(), ..Default::default() }),
            }
        }
        for r in input.rbac {
            let dst: SocketAddr = r.dst.parse().unwrap();
            let Some(wl) = state.fetch_workload_by_address(&NetworkAddress { network: "".into(), address: dst.ip() }).await else {
                out.rbac.push("no workload".into());
                continue;
            };
            let ctx = ProxyRbacContext {
                conn: rbac::Connection {
                    src_identity: r.identity.map(|i| i.parse::<Identity>().unwrap()),
                    src: r.src.parse().unwrap(), dst_network: "".into(), dst,
                },
                dest_workload: wl,
            };
            out.rbac.push(match state.assert_rbac(&ctx).await { Ok(()) => "allowed".into(), Err(e) => e.to_string() });
        }
        out
    }
}
