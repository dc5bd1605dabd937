#include "server/rpc/tls.hpp"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <vector>

namespace continuo::rpc {
namespace {

constexpr unsigned kLookSeconds = 5;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* held) const {
    Free(held);
  }
};
using File = std::unique_ptr<FILE, Freed<fclose>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Error bad_file(const std::string& key, const std::filesystem::path& file, const std::string& why) {
  return make_error(ErrorKind::configuration, "TLS_FILES", key, key + ": " + file.string() + " " + why);
}

Certificate read_certificate(const std::filesystem::path& file) {
  const File open(fopen(file.c_str(), "re"));
  return Certificate(open == nullptr ? nullptr : PEM_read_X509(open.get(), nullptr, nullptr, nullptr));
}

std::optional<std::chrono::system_clock::time_point> end_of(X509& certificate) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &utc) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&utc));
}

std::vector<std::string> texts(const grpc::AuthContext& context, const char* property) {
  std::vector<std::string> all;
  for (const grpc::string_ref& one : context.FindPropertyValues(property)) all.emplace_back(one.data(), one.size());
  return all;
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> tls_credentials(const TlsFiles& files) {
  auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      files.key.string(), files.certificate.string(), files.client_ca.string(), kLookSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

Result<> check_tls(const TlsFiles& files) {
  const Certificate certificate = read_certificate(files.certificate);
  if (certificate == nullptr) return bad_file("tls.certificate", files.certificate, "is no readable PEM certificate");
  const Certificate authority = read_certificate(files.client_ca);
  if (authority == nullptr) return bad_file("tls.client_ca", files.client_ca, "is no readable PEM certificate");
  const File open(fopen(files.key.c_str(), "re"));
  const Key key(open == nullptr ? nullptr : PEM_read_PrivateKey(open.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return bad_file("tls.key", files.key, "is no readable PEM key without a password");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return bad_file("tls.key", files.key, "is not the key of " + files.certificate.string());
  const auto now = std::chrono::system_clock::now();
  for (const auto& [name, file, read] : {std::tuple{"tls.certificate", &files.certificate, certificate.get()},
                                         std::tuple{"tls.client_ca", &files.client_ca, authority.get()}}) {
    if (const auto end = end_of(*read); !end || *end <= now) return bad_file(name, *file, "has ended");
  }
  return {};
}

std::string tls_warning(const TlsFiles& files, std::chrono::system_clock::time_point now) {
  if (const Result<> good = check_tls(files); !good)
    return good.error().message + ": new clients of TCP may be locked out";
  for (const std::filesystem::path& file : {files.certificate, files.client_ca}) {
    const Certificate certificate = read_certificate(file);
    const auto end = certificate == nullptr ? std::nullopt : end_of(*certificate);
    if (!end) return "certificate " + file.string() + " cannot be read: clients of TCP may be locked out";
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(*end - now).count();
    if (hours < 0) return "certificate " + file.string() + " has ended: clients of TCP are locked out";
    if (hours < 24 * kWarnDays)
      return "certificate " + file.string() + " ends in " + std::to_string(hours / 24) + " days";
  }
  return "";
}

std::optional<Caller> caller_of(const grpc::AuthContext& context, const Access& access) {
  const std::vector<std::string> names = texts(context, GRPC_X509_CN_PROPERTY_NAME);
  if (names.empty()) return std::nullopt;
  return access.certificate(names.front(), texts(context, GRPC_PEER_URI_PROPERTY_NAME));
}

}  // namespace continuo::rpc
