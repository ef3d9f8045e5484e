# Build with everything, run with little: the final image holds Node.js, the production dependencies and dist/.
# Node 24: 20 has ended, and this faces the Internet.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/edgewise
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
COPY bin ./bin
COPY conf ./conf
COPY nagios ./nagios
RUN mkdir -p /etc/edgemanage /var/lib/edgewise && chown node:node /var/lib/edgewise
USER node
# Port 53 without root: container runtimes let any user bind low ports (net.ipv4.ip_unprivileged_port_start=0);
# where yours does not, listen on 5353 and publish it as 53.
EXPOSE 53/udp 53/tcp 853/tcp 8053/tcp
VOLUME ["/etc/edgemanage", "/var/lib/edgewise"]
# http.listen of the configuration; set EDGEWISE_HEALTH_URL if yours is another. Not /healthz: that is red while edges are
# down, and starting a name server again that answers as it should would make an outage of it.
ENV EDGEWISE_HEALTH_URL=http://127.0.0.1:8053/livez
HEALTHCHECK --interval=15s --timeout=3s --start-period=40s --retries=2 \
  CMD ["node", "-e", "fetch(process.env.EDGEWISE_HEALTH_URL).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "bin/edgewise.js"]
CMD ["serve", "-c", "/etc/edgemanage/edgemanage.yaml"]
