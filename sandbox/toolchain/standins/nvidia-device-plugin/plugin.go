package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	resource = "nvidia.com/gpu"
	endpoint = "nvidia-gpu.sock"
	// The node writes {"nvidia.com/gpu": 4} there, before its kubelet starts.
	nodeFile = "mlp-accelerators.json"
)

// plugin is the kubelet's counterpart: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
type plugin struct {
	api.UnimplementedDevicePluginServer
	folder  string
	server  *grpc.Server
	mutex   sync.Mutex
	devices int
	changed chan struct{}
}

func newPlugin(folder string) *plugin {
	return &plugin{folder: folder, changed: make(chan struct{})}
}

// load reads how many devices the node has; a file that is not there or not right means none.
func (p *plugin) load() {
	count, err := readCount(filepath.Join(p.folder, nodeFile))
	if err != nil {
		log.Printf("No devices are announced: %v", err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if count != p.devices {
		p.devices = count
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

func readCount(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s is not there", path)
	}
	if err != nil {
		return 0, err
	}
	var counts map[string]int
	if err := json.Unmarshal(text, &counts); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	if counts[resource] < 0 {
		return 0, fmt.Errorf("%s: %s is %d", path, resource, counts[resource])
	}
	return counts[resource], nil
}

// start serves on a new socket and tells the kubelet.
func (p *plugin) start(ctx context.Context, kubelet string) error {
	p.stop()
	socket := filepath.Join(p.folder, endpoint)
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	p.server = grpc.NewServer()
	api.RegisterDevicePluginServer(p.server, p)
	go func(server *grpc.Server) {
		if err := server.Serve(listener); err != nil {
			log.Printf("Serving ended: %v", err)
		}
	}(p.server)
	connection, err := grpc.NewClient("unix:"+kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request := &api.RegisterRequest{
		Version: api.Version, Endpoint: endpoint, ResourceName: resource, Options: &api.DevicePluginOptions{},
	}
	if _, err := api.NewRegistrationClient(connection).Register(ctx, request); err != nil {
		return err
	}
	log.Printf("Registered %s with the kubelet.", resource)
	return nil
}

func (p *plugin) stop() {
	if p.server != nil {
		p.server.Stop()
		p.server = nil
	}
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	for {
		p.mutex.Lock()
		count, changed := p.devices, p.changed
		p.mutex.Unlock()
		log.Printf("Announcing %d of %s, simulated.", count, resource)
		if err := stream.Send(&api.ListAndWatchResponse{Devices: devices(count)}); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-changed:
		}
	}
}

func devices(count int) []*api.Device {
	list := make([]*api.Device, count)
	for i := range list {
		list[i] = &api.Device{ID: fmt.Sprintf("GPU-simulated-%d", i), Health: api.Healthy}
	}
	return list
}

// Allocate names the devices, as the real plugin does, and says that they are not there.
func (p *plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		ids := strings.Join(container.DevicesIds, ",")
		log.Printf("Allocated %s.", ids)
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": ids, "MLP_SIMULATED_ACCELERATOR": "1"},
		})
	}
	return answer, nil
}
