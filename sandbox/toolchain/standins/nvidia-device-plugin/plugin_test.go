package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// kubelet answers registrations, as the real one does.
type kubelet struct {
	api.UnimplementedRegistrationServer
	registered chan *api.RegisterRequest
}

func (k *kubelet) Register(_ context.Context, request *api.RegisterRequest) (*api.Empty, error) {
	k.registered <- request
	return &api.Empty{}, nil
}

func startKubelet(t *testing.T, socket string) (*kubelet, *grpc.Server) {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	fake, server := &kubelet{registered: make(chan *api.RegisterRequest, 4)}, grpc.NewServer()
	api.RegisterRegistrationServer(server, fake)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return fake, server
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s in 20 s", what)
		panic("unreachable")
	}
}

// node has a plugin that runs, and a connection to it once it has registered.
func node(t *testing.T, accelerators string) (string, *kubelet, *grpc.Server) {
	t.Helper()
	folder := t.TempDir()
	if accelerators != "" {
		write(t, folder, accelerators)
	}
	fake, server := startKubelet(t, filepath.Join(folder, "kubelet.sock"))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, filepath.Join(folder, "kubelet.sock")) }()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, ended, "end"); err != nil {
			t.Error(err)
		}
	})
	return folder, fake, server
}

func write(t *testing.T, folder, accelerators string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, nodeFile), []byte(accelerators), 0o600); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, folder string) api.DevicePluginClient {
	t.Helper()
	target := "unix:" + filepath.Join(folder, endpoint)
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return api.NewDevicePluginClient(connection)
}

func watch(t *testing.T, folder string) <-chan int {
	t.Helper()
	stream, err := connect(t, folder).ListAndWatch(t.Context(), &api.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	counts := make(chan int, 8)
	go func() {
		for {
			answer, err := stream.Recv()
			if err != nil {
				return
			}
			counts <- len(answer.Devices)
		}
	}()
	return counts
}

func TestItAnnouncesAsManyDevicesAsTheNodeHasAndAllocatesThemByName(t *testing.T) {
	folder, fake, _ := node(t, `{"nvidia.com/gpu": 4, "aws.amazon.com/neuron": 9}`)
	request := receive(t, fake.registered, "registration")
	if request.ResourceName != "nvidia.com/gpu" || request.Version != "v1beta1" || request.Endpoint != endpoint {
		t.Errorf("registered as %v", request)
	}
	if count := receive(t, watch(t, folder), "devices"); count != 4 {
		t.Errorf("%d devices, not 4", count)
	}
	containers := []*api.ContainerAllocateRequest{{DevicesIds: []string{"GPU-simulated-0", "GPU-simulated-3"}}}
	answer, err := connect(t, folder).Allocate(t.Context(), &api.AllocateRequest{ContainerRequests: containers})
	if err != nil {
		t.Fatal(err)
	}
	got := answer.ContainerResponses[0]
	if got.Envs["NVIDIA_VISIBLE_DEVICES"] != "GPU-simulated-0,GPU-simulated-3" || got.Envs["MLP_SIMULATED_ACCELERATOR"] != "1" {
		t.Errorf("environment %v", got.Envs)
	}
	if len(got.Devices) != 0 || len(got.Mounts) != 0 {
		t.Errorf("hands out devices that are not there: %v", got)
	}
}

func TestItRegistersAgainWhenTheKubeletRestarts(t *testing.T) {
	folder, fake, server := node(t, `{"nvidia.com/gpu": 1}`)
	receive(t, fake.registered, "registration")
	server.Stop()
	os.Remove(filepath.Join(folder, endpoint)) // as the kubelet does when it starts
	again, _ := startKubelet(t, filepath.Join(folder, "kubelet.sock"))
	receive(t, again.registered, "second registration")
	if count := receive(t, watch(t, folder), "devices"); count != 1 {
		t.Errorf("%d devices, not 1", count)
	}
}

func TestItFollowsTheNodesFile(t *testing.T) {
	folder, fake, _ := node(t, "")
	receive(t, fake.registered, "registration")
	counts := watch(t, folder)
	for _, step := range []struct {
		text string
		want int
	}{{"", 0}, {`{"nvidia.com/gpu": 8}`, 8}, {`{"nvidia.com/gpu": -1}`, 0}, {`{"nvidia.com/gpu": 2}`, 2}, {`[`, 0}} {
		if step.text != "" {
			write(t, folder, step.text)
		}
		for count := receive(t, counts, "devices"); count != step.want; count = receive(t, counts, step.text) {
		}
	}
}

func TestItFindsTheKubeletAsTheRealPluginDoes(t *testing.T) {
	none := func(string) string { return "" }
	environment := func(name string) string { return map[string]string{"KUBELET_SOCKET": "/env.sock"}[name] }
	for _, example := range []struct {
		arguments []string
		getenv    func(string) string
		want      string
	}{
		{nil, none, "/var/lib/kubelet/device-plugins/kubelet.sock"},
		{[]string{"--mig-strategy=none", "--pass-device-specs", "true"}, environment, "/env.sock"},
		{[]string{"--fail-on-init-error=false", "--kubelet-socket=/flag.sock"}, environment, "/flag.sock"},
		{[]string{"-kubelet-socket", "/flag.sock"}, none, "/flag.sock"},
		{[]string{"--kubelet-socket"}, none, "/var/lib/kubelet/device-plugins/kubelet.sock"},
	} {
		if got := kubeletSocket(example.arguments, example.getenv); got != example.want {
			t.Errorf("%v: %s, not %s", example.arguments, got, example.want)
		}
	}
}
