/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EstClient.java: BouncyCastle's EST client, for t/est/foreign-bouncycastle.t. Takes CA certificates, asks for
 * attributes, enrols with a certificate or a password, renews, and prints one line a step.
 *
 *   EstClient HOST:PORT ANCHORS.pem password USER PASSWORD SUBJECT
 *   EstClient HOST:PORT ANCHORS.pem certificate CHAIN.pem KEY.pem SUBJECT enroll|reenroll
 */
import java.io.FileReader;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.CACertsResponse;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseDefaultHostnameAuthorizer;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.Store;

public final class EstClient
{
    private static final char[] NONE = "changeit".toCharArray();

    private static List<X509Certificate> certificates(String file) throws Exception
    {
        List<X509Certificate> list = new ArrayList<X509Certificate>();
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            for (Object o = parser.readObject(); o != null; o = parser.readObject()) {
                if (o instanceof X509CertificateHolder) {
                    list.add(new JcaX509CertificateConverter().getCertificate((X509CertificateHolder)o));
                }
            }
        }
        return list;
    }

    private static PrivateKey key(String file) throws Exception
    {
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            for (Object o = parser.readObject(); o != null; o = parser.readObject()) {
                if (o instanceof PEMKeyPair) {
                    return new JcaPEMKeyConverter().getPrivateKey(((PEMKeyPair)o).getPrivateKeyInfo());
                }
                if (o instanceof PrivateKeyInfo) {
                    return new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo)o);
                }
            }
        }
        throw new Exception("no key in " + file);
    }

    private static KeyManagerFactory identity(String chain, String keyFile) throws Exception
    {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("me", key(keyFile), NONE, certificates(chain).toArray(new Certificate[0]));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NONE);
        return factory;
    }

    private static JsseESTServiceBuilder builder(String server, String anchorFile) throws Exception
    {
        Set<TrustAnchor> anchors = new HashSet<TrustAnchor>();
        for (X509Certificate c : certificates(anchorFile)) {
            anchors.add(new TrustAnchor(c, null));
        }
        X509TrustManager[] trust = JcaJceUtils.getCertPathTrustManager(anchors, null);
        JsseESTServiceBuilder builder = new JsseESTServiceBuilder(server, trust);
        builder.withHostNameAuthorizer(new JsseDefaultHostnameAuthorizer(null));
        builder.withTimeout(20000);
        return builder;
    }

    private static PKCS10CertificationRequest request(String subject) throws Exception
    {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), new SecureRandom());
        KeyPair pair = generator.generateKeyPair();
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate());
        return new JcaPKCS10CertificationRequestBuilder(new X500Name(subject), pair.getPublic()).build(signer);
    }

    private static void tell(ESTService service) throws Exception
    {
        CACertsResponse ca = service.getCACerts();
        System.out.println("cacerts " + ca.getCertificateStore().getMatches(null).size());
        CSRRequestResponse attributes = service.getCSRAttributes();
        System.out.println("csrattrs " + (attributes.hasAttributesResponse() ? "some" : "none"));
    }

    private static void enrolled(EnrollmentResponse response)
    {
        Store<X509CertificateHolder> store = response.getStore();
        for (X509CertificateHolder holder : store.getMatches(null)) {
            System.out.println("certificate " + holder.getSubject());
        }
    }

    public static void main(String[] a) throws Exception
    {
        Security.addProvider(new BouncyCastleProvider());
        JsseESTServiceBuilder builder = builder(a[0], a[1]);
        try {
            if (a[2].equals("password")) {
                ESTService service = builder.build();
                ESTAuth auth = new JcaHttpAuthBuilder(null, a[3], a[4].toCharArray()).build();
                tell(service);
                enrolled(service.simpleEnroll(false, request(a[5]), auth));
            }
            else {
                builder.withKeyManagers(identity(a[3], a[4]).getKeyManagers());
                ESTService service = builder.build();
                tell(service);
                enrolled(service.simpleEnroll(a[6].equals("reenroll"), request(a[5]), null));
            }
        }
        catch (ESTException e) {
            System.out.println("refused " + e.getMessage());
            System.exit(1);
        }
    }
}
