// A stand-in for NVIDIA's device plugin on nodes that have no GPU: it registers with the kubelet as the real one does
// and announces as many devices as the node's instance type has. Containers that ask for one get no device.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const retry = 5 * time.Second

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.Print("This is the sandbox's stand-in for the NVIDIA device plugin. There is no GPU behind what it announces.")
	if len(os.Args) > 1 {
		log.Printf("Arguments of the real plugin are accepted and change nothing: %s", strings.Join(os.Args[1:], " "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	kubelet := kubeletSocket(os.Args[1:], os.Getenv)
	if err := run(ctx, kubelet); err != nil {
		log.Fatalf("%v", err)
	}
	log.Print("Stopped.")
}

// kubeletSocket is where the real plugin looks for the kubelet: --kubelet-socket, KUBELET_SOCKET, or the usual place.
func kubeletSocket(arguments []string, getenv func(string) string) string {
	for i, argument := range arguments {
		name, value, joined := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if name != "kubelet-socket" || !strings.HasPrefix(argument, "-") {
			continue
		}
		if joined {
			return value
		}
		if i+1 < len(arguments) {
			return arguments[i+1]
		}
	}
	if value := getenv("KUBELET_SOCKET"); value != "" {
		return value
	}
	return api.KubeletSocket
}

// run serves and registers, again after every start of the kubelet (which removes the sockets of its plugins), and
// announces anew when the node's file changes. It ends with the context, or when the folder cannot be watched.
func run(ctx context.Context, kubelet string) error {
	folder := filepath.Dir(kubelet)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Add(folder); err != nil {
		return err
	}
	plugin := newPlugin(folder)
	plugin.load()
	defer plugin.stop()
	for {
		var again <-chan time.Time
		if err := plugin.start(ctx, kubelet); err != nil {
			log.Printf("Not registered with the kubelet, trying again in %v: %v", retry, err)
			again = time.After(retry)
		}
		if done, err := wait(ctx, watcher, plugin, kubelet, again); done || err != nil {
			return err
		}
	}
}

// wait returns when the plugin has to register (again), or with true when it has to end.
func wait(ctx context.Context, watcher *fsnotify.Watcher, plugin *plugin, kubelet string, again <-chan time.Time) (bool, error) {
	for {
		select {
		case <-ctx.Done():
			return true, nil
		case <-again:
			return false, nil
		case err := <-watcher.Errors:
			return true, err
		case event := <-watcher.Events:
			switch {
			case event.Name == kubelet && event.Has(fsnotify.Create):
				log.Print("The kubelet started; registering again.")
				return false, nil
			case filepath.Base(event.Name) == nodeFile && !event.Has(fsnotify.Chmod):
				plugin.load()
			}
		}
	}
}
