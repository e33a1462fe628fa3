"""Ways to run the sidecar: the local demo as a package, and configuration for nginx, containers and Kubernetes."""
