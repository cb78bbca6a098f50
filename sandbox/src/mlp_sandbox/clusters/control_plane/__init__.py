"""Control plane of a cluster: etcd, the API server, controllers, certificates and admission."""
