#include "clients/cli/channel.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/client_interceptor.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "clients/cli/failure.hpp"
#include "clients/cli/unary_call.hpp"

namespace continuo::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kSmallWindow = 64;  // bytes; gRPC widens it for the message that is asked for

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw Failure(kNoInput, "FILE_NOT_READABLE", file.string(), "cannot read " + file.string());
  return text.str();
}

std::string read_token(const fs::path& file) {
  const std::string text = read_file(file);
  std::string line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty() || line.size() > 1000 || line.find_first_of(" \t") != std::string::npos)
    throw Failure(kBadData, "BAD_TOKEN", file.string(), file.string() + " does not begin with a token");
  return line;
}

/// Puts the token on every call, also on those of a channel without TLS, which takes no call credentials.
class ShowToken final : public grpc::experimental::Interceptor {
 public:
  explicit ShowToken(std::string line) : line_(std::move(line)) {}
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA))
      methods->GetSendInitialMetadata()->emplace("authorization", line_);
    methods->Proceed();
  }

 private:
  const std::string line_;
};

class ShowTokenFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit ShowTokenFactory(const std::string& token) : line_("Bearer " + token) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new ShowToken(line_);  // gRPC's to delete
  }

 private:
  const std::string line_;
};

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Identity& identity) {
  if (identity.tls.empty()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({read_file(identity.tls / "ca.crt"), read_file(identity.tls / "client.key"),
                               read_file(identity.tls / "client.crt")});
}

fs::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

}  // namespace

bool is_local(const std::string& address) {
  return address.starts_with("unix:") || address.starts_with("127.") || address.starts_with("[::1]:") ||
         address.starts_with("localhost:");
}

Identity find_identity(const std::string& address) {
  Identity identity{from_environment("CONTINUO_TOKEN_FILE"), from_environment("CONTINUO_TLS")};
  if (is_local(address)) {
    if (address.starts_with("unix:")) identity.tls.clear();
    return identity;
  }
  if (!identity.tls.empty()) return identity;
  fs::path home = from_environment("XDG_CONFIG_HOME");
  if (home.empty()) home = from_environment("HOME") / ".config";
  std::error_code ignored;
  if (fs::path folder = home / "continuo" / "tls"; fs::exists(folder, ignored)) identity.tls = std::move(folder);
  return identity;
}

std::shared_ptr<grpc::Channel> make_channel(const std::string& address, const Identity& identity, Window window) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // a proxy for the web is not a way to the daemon
  arguments.SetUserAgentPrefix(client_name());      // who calls, where a request has no place for it
  if (window == Window::newest_first) {
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kSmallWindow);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // which would widen it again
  }
  // A socket's path is no host name that could be checked; any will do.
  if (address.starts_with("unix:")) arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  if (identity.tls.empty() && !is_local(address)) {
    throw Failure(kRefused, "NO_CERTIFICATE", "tls",
                  "a daemon on another machine asks for a certificate: say with --tls where the folder is that "
                  "continuo-certs made");
  }
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (!identity.token_file.empty())
    interceptors.push_back(std::make_unique<ShowTokenFactory>(read_token(identity.token_file)));
  return grpc::experimental::CreateCustomChannelWithInterceptors(address, credentials_of(identity), arguments,
                                                                 std::move(interceptors));
}

}  // namespace continuo::cli
